// Command cost measures the cost of the store's defences. It builds the
// benchmarks beside it once unchanged, and once without each defence, with
// overlays for the go command as in command mutants. The binaries run in turns,
// so that other load on the machine affects all of them, and each round gives
// one ratio.
//
//	cost [-rounds n] [-time duration] [-calls names]
//
// Run it in the module's directory. It prints a table. A time is the tenth
// percentile of a benchmark's batches: the duration of an uninterrupted call,
// which hardly depends on the load. The duration of a durable write varies
// between writes by more than any defence costs, and no defence waits for the
// disk. So the command measures the processor time of a durable append with and
// without the defence, and reports the difference as a share of the whole
// append.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	rounds = flag.Int("rounds", 31, "how often each binary has its turn")
	lasts  = flag.String("time", "100ms", "how long a benchmark takes in a turn")
)

// change removes a defence or part of one.
type change struct{ file, from, to string }

// defence is a defence that can be removed.
type defence struct {
	name    string
	changes []change
}

var (
	sums = change{
		"driver/boltdriver/internal/format/seal.go",
		"return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, b)", "_ = crc32.Checksum\n\treturn 0",
	}
	guard = change{
		"driver/boltdriver/read.go", "\tdefer dbfile.Guard(\"get\", debug.SetPanicOnFault(true), &err)\n",
		"",
	}
	barrier  = change{"driver/boltdriver/snapshot.go", "if d.durable.reached(s.commit) {", "if true {"}
	trusted  = change{"driver/boltdriver/batch.go", "w.d.file.CheckTrusted(w.d.durableTx())", "error(nil)"}
	identity = change{"driver/boltdriver/commit.go", "err = w.d.file.Check()", "err = nil"}
)

var defences = []defence{
	{"checksums of records, messages and entries", []change{sums}},
	{"a fault on the map is an error", []change{guard}},
	{"readers wait for durability", []change{barrier}},
	{"the file's name is looked at before each commit", []change{identity}},
	{"what the engine trusts is looked at before each commit", []change{trusted}},
	{"all of these", []change{sums, guard, barrier, identity, trusted}},
}

// benchmarks are the names of the benchmarks in cost_test.go.
var benchmarks []string

// wholes maps a benchmark that times part of a call to the benchmark of the
// whole call.
var wholes = map[string]string{"AppendCPU": "DurableAppend"}

func main() {
	calls := flag.String("calls", "Get,History,DurableAppend,AppendCPU", "which calls are measured")
	flag.Parse()
	benchmarks = strings.Split(*calls, ",")
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "cost-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binaries := make([]string, 1+len(defences))
	for i := range binaries {
		var changes []change
		if i > 0 {
			changes = defences[i-1].changes
		}
		if binaries[i], err = build(dir, i, changes); err != nil {
			return err
		}
	}
	times, err := takeTurns(binaries)
	if err != nil {
		return err
	}
	fmt.Println("| call | defence | with it | without | cost: median (quartiles of the rounds) " +
		"|\n|---|---|---|---|---|")
	for _, name := range benchmarks {
		whole := times[name]
		if w := times[wholes[name]]; w != nil {
			whole = w
		}
		compare(name, times[name], median(whole[0]))
	}
	return nil
}

// build builds the benchmarks with the changes.
func build(dir string, n int, changes []change) (string, error) {
	replace := map[string]string{}
	for i, c := range changes {
		path, err := filepath.Abs(filepath.Join("..", c.file))
		if err != nil {
			return "", err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(source), c.from); n != 1 {
			return "", fmt.Errorf("%s holds what is to be changed %d times, want once", c.file, n)
		}
		changed := filepath.Join(dir, fmt.Sprintf("%d-%d.go", n, i))
		if err := os.WriteFile(changed, []byte(strings.Replace(string(source), c.from, c.to, 1)), 0o600); err != nil {
			return "", err
		}
		replace[path] = changed
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, fmt.Sprint(n, ".json"))
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, fmt.Sprint(n, ".test"))
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay="+overlay, "-o", binary,
		"./cost").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
}

var p10 = regexp.MustCompile(`Benchmark(\w+?)(?:-\d+)?\s.*?([\d.]+) p10-ns`)

// takeTurns runs the binaries in turns. It returns the times of calls in
// nanoseconds, by benchmark, binary and round.
func takeTurns(binaries []string) (map[string][][]float64, error) {
	times := map[string][][]float64{}
	for _, name := range benchmarks {
		times[name] = make([][]float64, len(binaries))
	}
	for range *rounds {
		for i, binary := range binaries {
			out, err := exec.Command(binary, "-test.run=^$",
				"-test.bench=^Benchmark("+strings.Join(benchmarks, "|")+")$",
				"-test.benchtime="+*lasts).CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("%w: %s", err, out)
			}
			for _, m := range p10.FindAllStringSubmatch(string(out), -1) {
				ns, err := strconv.ParseFloat(m[2], 64)
				if err != nil || times[m[1]] == nil {
					return nil, fmt.Errorf("%s: %w", m[0], err)
				}
				times[m[1]][i] = append(times[m[1]][i], ns)
			}
		}
	}
	return times, nil
}

// compare prints the cost of each defence in one benchmark, in percent of the
// whole call.
func compare(name string, times [][]float64, whole float64) {
	for i, d := range defences {
		var costs []float64
		for n, without := range times[i+1] {
			costs = append(costs, 100*(times[0][n]-without)/whole)
		}
		slices.Sort(costs)
		quarter := len(costs) / 4
		fmt.Printf("| %s | %s | %.2f µs | %.2f µs | %+.1f %% (%+.1f to %+.1f) |\n", name, d.name,
			median(times[0])/1e3, median(times[i+1])/1e3, median(costs), costs[quarter], costs[len(costs)-1-quarter])
	}
}

func median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}
