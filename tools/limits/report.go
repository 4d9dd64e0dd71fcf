package main

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
)

// print writes one line for each breach, and the sums.
func (r *report) print(w io.Writer) {
	for _, b := range r.breaches {
		fmt.Fprintln(w, b)
	}
	fmt.Fprintf(w, "%d files, %d functions of %d lines in the median, %d breaches\n",
		r.files, len(r.funcLines), median(r.funcLines), len(r.breaches))
}

// printCounts writes how many breaches of each kind each directory has, and the
// packed assignments of each area, also where they are within the limit.
func (r *report) printCounts(w io.Writer) {
	counts := map[kind]map[string]int{}
	for _, b := range r.breaches {
		if counts[b.kind] == nil {
			counts[b.kind] = map[string]int{}
		}
		counts[b.kind][b.dir()]++
	}
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		sum := 0
		for _, n := range counts[k] {
			sum += n
		}
		fmt.Fprintf(w, "%s: %d\n", k, sum)
		for _, dir := range slices.Sorted(maps.Keys(counts[k])) {
			fmt.Fprintf(w, "%8d  %s\n", counts[k][dir], dir)
		}
	}
	fmt.Fprintln(w, "packed assignments in 1,000 lines of code:")
	for _, area := range slices.Sorted(maps.Keys(r.packed)) {
		c := r.packed[area]
		fmt.Fprintf(w, "%8.1f  %s (%d in %d)\n", 1000*float64(c.assigns)/float64(c.lines), area, c.assigns, c.lines)
	}
}

// dir is the directory of the breach, or the area that it is about.
func (b breach) dir() string {
	if b.kind == packedAssigns {
		return b.place
	}
	return path.Dir(b.place)
}

func median(lengths []int) int {
	if len(lengths) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(lengths))
	return sorted[len(sorted)/2]
}
