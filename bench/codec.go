package main

import (
	"bufio"
	"bytes"
	"os/exec"
	"strconv"
	"strings"
)

// codecRow is one benchmark of the codec, which is not exported: its own tests
// measure it.
type codecRow struct {
	name   string
	ns     float64
	allocs string
}

// measureCodec runs the codec's benchmarks with the go command, if that can.
func (r *results) measureCodec() error {
	times := "200ms"
	if r.quick {
		times = "10x"
	}
	out, err := exec.Command("go", "test", "-run=^$", "-bench=^Benchmark(Encode|Decode)$", "-benchtime="+times,
		"-count="+strconv.Itoa(r.rounds), "github.com/seshatdb/seshat").Output()
	if err != nil {
		logf("the codec was not measured: %v", err)
		return nil
	}
	found := make(map[string][]codecRow)
	var order []string
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		row, ok := parseBenchmark(sc.Text())
		if !ok {
			continue
		}
		if found[row.name] == nil {
			order = append(order, row.name)
		}
		found[row.name] = append(found[row.name], row)
	}
	for _, name := range order {
		rows := found[name]
		rows[0].ns = medianOf(rows, func(c codecRow) float64 { return c.ns })
		r.codec = append(r.codec, rows[0])
	}
	return nil
}

// parseBenchmark reads a line of go test -bench.
func parseBenchmark(line string) (row codecRow, ok bool) {
	f := strings.Fields(line)
	if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
		return row, false
	}
	row.name = strings.TrimPrefix(f[0], "Benchmark")
	if i := strings.LastIndexByte(row.name, '-'); i > 0 {
		row.name = row.name[:i]
	}
	for i := 2; i+1 < len(f); i += 2 {
		switch f[i+1] {
		case "ns/op":
			row.ns, _ = strconv.ParseFloat(f[i], 64)
		case "allocs/op":
			row.allocs = f[i]
		}
	}
	return row, row.ns > 0
}

// codecNS returns the time of a benchmark in nanoseconds, or 0.
func (r *results) codecNS(name string) float64 {
	for _, c := range r.codec {
		if c.name == name {
			return c.ns
		}
	}
	return 0
}
