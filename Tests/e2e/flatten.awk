# One "key value" per line of what a container reads, for comparing: "== FILE" begins a file.
# Values of blanks get underscores.

function put(key, value) {
    gsub(/[ \t]+/, "_", key)
    gsub(/[ \t]+/, "_", value)
    print file "." key, value
}

$0 == "" { next }

/^== / { file = $2; cpu = -1; row = 0; next }

file == "meminfo" { sub(":", "", $1); put($1, $2); next }

file == "cpuinfo" {
    key = $0; sub(/[ \t]*:.*/, "", key)
    value = $0; sub(/^[^:]*: ?/, "", value)
    if (key == "processor") { put("cpu" value, "there"); cpu = value; next }
    put("cpu" cpu "." key, value)
    next
}

file == "stat" && /^cpu/ {
    split("user nice system idle iowait irq softirq steal guest guest_nice", names, " ")
    for (i = 2; i <= NF; i++) put($1 "." names[i - 1], $i)
    put($1 ".used", $2 + $3 + $4)
    next
}
file == "stat" {
    put($1, $2)
    rest = 0
    for (i = 3; i <= NF; i++) rest += $i
    put($1 ".columns", NF)
    if (NF > 2) put($1 ".rest", rest)
    next
}

file == "uptime" { put("uptime", $1 * 100); put("idle", $2 * 100); next }
file == "loadavg" {
    put("1min", $1); put("5min", $2); put("15min", $3)
    split($4, tasks, "/"); put("running", tasks[1]); put("total", tasks[2])
    put("last_pid", $5)
    next
}
file == "swaps" {
    if (row++ == 0) put("heading", $0)
    else { put("name", $1); put("type", $2); put("size", $3); put("used", $4) }
    next
}
file == "diskstats" {
    n = split("reads reads_merged sectors_read ms_reading writes writes_merged" \
        " sectors_written ms_writing in_flight ms_io ms_weighted discards discards_merged" \
        " sectors_discarded ms_discarding flushes ms_flushing", names, " ")
    for (i = 4; i <= NF; i++) put($3 "." names[i - 3], $i)
    next
}
file == "slabinfo" {
    if (/^(slabinfo|#)/) next
    put($1 ".objects", $3)
    put($1 ".sizes", $4 "_" $5 "_" $6)
    next
}
file ~ /^pressure/ {
    if (NF > 1) { sub("total=", "", $5); put($1 ".total", $5) } else put("error", $0)
    next
}
file == "cpu" { put($1, NF > 1 ? $2 : "-"); next }
