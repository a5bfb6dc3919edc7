# Table of the runs with many containers, and the bars that rest on them (to $BARS).
# Input: containers daemon reads s CPU idle-CPU RSS-at-start RSS, times in ns, RSS in kB.
function verdict(met) { return met ? "met" : "not met" }
{
    n = $1; s = $2
    reads[n, s] = $3 / $4; cpu[n, s] = $5 / $3; idle[n, s] = $6 / $4
    # What it takes for the load asked for, whether or not it was achieved.
    load[n, s] = $5 / $3 * n * 10 / 1e9
    start[n, s] = $7; rss[n, s] = $8
    if (!(n in seen)) { sizes[++count] = n; seen[n] = 1 }
}
END {
    print "\n### Many containers, 10 reads/s each\n"
    print "Each container is a process in its own cgroup and pid namespace that reads meminfo,"
    print "stat, loadavg, uptime and cpuinfo in turn. CPU is that of the daemon; the CPU seconds"
    print "are for 10 reads per container, from the CPU time per read.\n"
    print "| containers | daemon | reads/s asked | reads/s done | CPU us per read | CPU s per s of the load asked | CPU ms per s when nobody reads | RSS at start, kB | RSS, kB |"
    print "|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count; i++) {
        n = sizes[i]
        for (j = 1; j <= 2; j++) {
            s = j == 1 ? "lxcfs" : "lxcfsd"
            printf "| %d | %s | %d | %.0f | %.1f | %.3f | %.2f | %d | %d |\n", n, s, n * 10, reads[n, s], cpu[n, s] / 1000, load[n, s], idle[n, s] / 1e6, start[n, s], rss[n, s]
        }
    }
    n = sizes[count]; m = sizes[1]
    ratio = load[n, "lxcfsd"] / load[n, "lxcfs"]
    each = (rss[n, "lxcfsd"] - rss[m, "lxcfsd"]) / (n - m)
    bars = ENVIRON["BARS"]
    printf "CPU of the daemon, %d containers x 10 reads/s: <= 0.25 x lxcfs|%.2f|%s\n", n, ratio, verdict(ratio <= 0.25) >>bars
    printf "RSS with %d containers: <= 40 MB|%.1f MB|%s\n", n, rss[n, "lxcfsd"] / 1024, verdict(rss[n, "lxcfsd"] <= 40960) >>bars
    printf "RSS per container: <= 8 kB|%.1f kB|%s\n", each, verdict(each <= 8) >>bars
}
