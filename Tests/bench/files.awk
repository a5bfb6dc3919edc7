# Tables of the file measurements, and the bars that rest on them (to $BARS).
# Input: file source mode reads p50 p99 reads/s daemon-CPU, times in ns.
function verdict(met) { return met ? "met" : "not met" }
function median(key,    n, i, j, t, v) {
    n = split(values[key], v, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) {
            t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
        }
    return v[int((n + 1) / 2)] + 0
}
function us(ns) { return ns < 100000 ? sprintf("%.1f", ns / 1000) : sprintf("%.0f", ns / 1000) }
function k(n) { return sprintf("%.1f", n / 1000) }
function get(file, source, mode, what) { return median(file " " source " " mode " " what) }
function worst(name, ratio, file) {
    if (!(name in high) || ratio > high[name]) { high[name] = ratio; where[name] = file }
    if (!(name in low) || ratio < low[name]) { low[name] = ratio; lowest[name] = file }
}
{
    key = $1 " " $2 " " $3 " "
    values[key "p50"] = values[key "p50"] " " $5
    values[key "p99"] = values[key "p99"] " " $6
    values[key "rate"] = values[key "rate"] " " $7
    values[key "cpu"] = values[key "cpu"] " " $8 / $4
}
END {
    count = split(files, list, " ")
    split("native lxcfs caller container", sources, " ")
    titles["hot1"] = "One thread, one read after the other"
    titles["cold"] = "Spaced reads: one each 20 ms, so that none is served by the page cache"
    split("hot1 cold", modes, " ")
    for (m = 1; m <= 2; m++) {
        mode = modes[m]
        print "\n### " titles[mode] "\n"
        print "p50 / p99 of open + read + close in us.\n"
        print "| file | native | lxcfs | caller tree | container tree | container / native | container / lxcfs | caller / lxcfs |"
        print "|---|---|---|---|---|---|---|---|"
        for (f = 1; f <= count; f++) {
            file = list[f]
            printf "| %s", file
            for (s = 1; s <= 4; s++)
                printf " | %s / %s", us(get(file, sources[s], mode, "p50")), us(get(file, sources[s], mode, "p99"))
            n = get(file, "native", mode, "p50"); l = get(file, "lxcfs", mode, "p50")
            a = get(file, "caller", mode, "p50"); c = get(file, "container", mode, "p50")
            printf " | %.2f | %.2f | %.2f |\n", c / n, c / l, a / l
            # The bar is native or 6 us, whichever is larger.
            if (mode == "hot1") worst("hot", c / (n > 6000 ? n : 6000), file)
            if (mode == "hot1") worst("caller", a / l, file)
            if (mode == "cold") worst("cold", c / l, file)
        }
    }
    print "\n### Reads per second, in thousands: 1 thread / 4 threads\n"
    print "| file | native | lxcfs | caller tree | container tree | container / lxcfs, 4 threads |"
    print "|---|---|---|---|---|---|"
    for (f = 1; f <= count; f++) {
        file = list[f]
        printf "| %s", file
        for (s = 1; s <= 4; s++)
            printf " | %s / %s", k(get(file, sources[s], "hot1", "rate")), k(get(file, sources[s], "hot4", "rate"))
        r = get(file, "container", "hot4", "rate") / get(file, "lxcfs", "hot4", "rate")
        printf " | %.0f |\n", r
        worst("threads", r, file)
    }
    print "\n### CPU time of the daemon per read, in us\n"
    print "| file | lxcfs | caller tree | container tree | lxcfs, spaced | caller tree, spaced | container tree, spaced | container / lxcfs, spaced |"
    print "|---|---|---|---|---|---|---|---|"
    for (f = 1; f <= count; f++) {
        file = list[f]
        printf "| %s", file
        for (m = 1; m <= 2; m++) {
            mode = modes[m]
            for (s = 2; s <= 4; s++) printf " | %s", us(get(file, sources[s], mode, "cpu"))
        }
        r = get(file, "container", "cold", "cpu") / get(file, "lxcfs", "cold", "cpu")
        printf " | %.2f |\n", r
        worst("cpu", r, file)
    }
    bars = ENVIRON["BARS"]
    printf "%s|%.2f (%s)|%s\n", "container tree, hot, p50, every file: <= 1.0 x max(native, 6 us)", high["hot"], where["hot"], verdict(high["hot"] <= 1) >bars
    printf "%s|%.2f (%s)|%s\n", "container tree, cold, p50, every file: <= 0.5 x lxcfs", high["cold"], where["cold"], verdict(high["cold"] <= 0.5) >bars
    printf "%s|%.2f (%s)|%s\n", "daemon CPU time per cold read, every file: <= 0.25 x lxcfs", high["cpu"], where["cpu"], verdict(high["cpu"] <= 0.25) >bars
    printf "%s|%.2f (%s)|%s\n", "caller tree, p50, every file: <= 0.7 x lxcfs", high["caller"], where["caller"], verdict(high["caller"] <= 0.7) >bars
    printf "%s|%.0f (%s)|%s\n", "4 threads on one hot file: >= 20 x lxcfs reads/s", low["threads"], lowest["threads"], verdict(low["threads"] >= 20) >bars
}
