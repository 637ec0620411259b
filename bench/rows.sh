# rows.sh - sourced by the benchmark scripts: rows of the one table that the programs print too (bench/measure.h).

rows_version=$(build/crossflow --version 2>/dev/null | head -n 1 | sed 's/^crossflow //; s/,/ /g')
rows_processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr -d ',"')

rows_head() {
    echo "version,processor,threads,question,what,unit,n,median,min,max,of,ratio,target"
}

# row QUESTION WHAT UNIT "VALUE VALUE ..." OF TARGET: OF and TARGET may be empty.
row() {
    printf '%s\n' $4 | sort -g | awk -v head="$rows_version,$rows_processor,$(nproc),$1,$2,$3" -v of="$5" -v target="$6" '
        { t[NR] = $1 }
        END {
            median = (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2
            printf "%s,%d,%.6g,%.6g,%.6g,%s,%s,%s\n", head, NR, median, t[1], t[NR], of, of == "" ? "" : sprintf("%.3f", median / of), target
        }'
}
