// Command release runs the tests of this module for a while, each round with a
// new seed. With -evidence, it adds the outcome to a file that sums up all such
// runs.
//
//	release [-for duration] [-once] [-rounds n] [-seed n] [-suites regexp]
//	    [-mutants all|quick|none] [-evidence file]
//
// Run it in the module's directory. It prints a summary. After the first
// failure it prints the failure's output and exits with status 1.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	lasts    = flag.Duration("for", time.Minute, "begin new rounds until so much time is over")
	once     = flag.Bool("once", false, "one round, whatever -for says")
	exactly  = flag.Int("rounds", 0, "so many rounds, whatever -for says")
	only     = flag.String("suites", "", "only the suites whose name this regular expression finds")
	seed     = flag.Uint64("seed", uint64(time.Now().Unix()), "seed of the first round")
	planted  = flag.String("mutants", "none", "which planted bugs to try at the end: all, quick or none")
	evidence = flag.String("evidence", "", "file in which the run is noted")
)

// suite is one run of go test in a round.
type suite struct {
	name string
	dir  string
	args []string // %d = the seed
	env  string
}

var suites = []suite{
	{
		"linearizability", ".",
		[]string{"./lin", "-run=Linearizable", "-lin.seed=%d", "-lin.runs=4", "-lin.calls=1000", "-lin.clients=32"},
		"",
	},
	{
		"crash images", ".",
		[]string{
			"./crash", "-run=PowerFailure", "-crash.seed=%d", "-crash.images=16000", "-crash.random=120",
			"-crash.deep=10", "-crash.steps=100", "-crash.spots=6", "-crash.checkers=4",
		},
		"",
	},
	{
		"every call", ".",
		[]string{
			"./crash", "-run=EveryCallFails", "-crash.seed=%d", "-crash.steps=200", "-crash.parts=10",
			"-crash.images=40", "-crash.deep=10", "-crash.checkers=4", "-parallel=4",
		},
		"",
	},
	{
		"disk cuts", ".",
		[]string{"./powercut", "-run=Linearizable", "-powercut.seed=%d", "-powercut.runs=10", "-powercut.cuts=40"},
		"",
	},
	{
		"fs cuts", ".",
		[]string{"./fscut", "-run=Linearizable|FullFileSystem", "-fscut.seed=%d", "-fscut.runs=4", "-fscut.cuts=12"},
		"",
	},
	{"kills", ".", []string{"./crash", "-run=^TestKillLoop$"}, "SESHAT_KILLS=120"},
	{
		"model", "..",
		[]string{
			".", "-run=^TestStoreIn(Memory|File)$/^model$", "-storetest.seed=%d", "-storetest.runs=10",
			"-storetest.steps=1000",
		},
		"",
	},
	{"same answers", ".", []string{"./meta", "-run=SameAnswers", "-meta.seed=%d", "-meta.logs=10"}, ""},
	{"damage", ".", []string{"./damage", "-run=DamagedFiles", "-damage.seed=%d000", "-damage.trials=540"}, ""},
	{"backups", ".", []string{"./backup", "-run=Copies", "-backup.seed=%d", "-backup.copies=100"}, ""},
}

func main() {
	flag.Parse()
	chosen := regexp.MustCompile(*only)
	began := time.Now()
	t := tally{}
	next := *seed
	rounds := 0
	failed := false
	for !failed && goesOn(rounds, time.Since(began)) {
		for _, s := range suites {
			if chosen.MatchString(s.name) {
				failed = !s.run(t, next) || failed
			}
		}
		next += 10
		rounds++
	}
	if *planted != "none" && !failed {
		failed = !runMutants(t, *planted == "quick")
	}
	r := newRow(t, *seed, rounds, time.Since(began), failed)
	fmt.Println(r)
	if *evidence != "" {
		if err := note(*evidence, r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// goesOn reports whether another round follows.
func goesOn(rounds int, took time.Duration) bool {
	if *once {
		return rounds == 0
	}
	if *exactly > 0 {
		return rounds < *exactly
	}
	return rounds == 0 || took < *lasts
}

// run runs the suite, adds its counts to the tally, and reports whether it
// passed.
func (s suite) run(t tally, seed uint64) bool {
	args := []string{"test", "-count=1", "-v", "-timeout=60m"}
	for _, a := range s.args {
		args = append(args, strings.ReplaceAll(a, "%d", strconv.FormatUint(seed, 10)))
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = s.dir
	if s.env != "" {
		cmd.Env = append(os.Environ(), s.env)
	}
	out, err := cmd.CombinedOutput()
	t.read(string(out))
	fmt.Printf("%-16s seed %d: %v\n", s.name, seed, t)
	if err != nil {
		fmt.Printf("go %s\n%s\n", strings.Join(args, " "), out)
	}
	return err == nil
}

// runMutants runs the planted bugs.
func runMutants(t tally, quick bool) bool {
	args := []string{"run", "./mutants"}
	if quick {
		args = append(args, "-quick")
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	fmt.Print(string(out))
	t["mutants"] += strings.Count(string(out), " killed (")
	t["violations"] += strings.Count(string(out), " SURVIVED")
	return err == nil
}

// tally maps columns of the evidence to counts.
type tally map[string]int

// counts match the numbers that tests log.
var counts = map[string]*regexp.Regexp{
	"calls":         regexp.MustCompile(`seed \d+: (\d+) calls`),
	"images":        regexp.MustCompile(`seed \d+: (\d+) images`),
	"continued":     regexp.MustCompile(`seed \d+: \d+ images, \d+ violations, (\d+) continued`),
	"violations":    regexp.MustCompile(`seed \d+: \d+ (?:images|damage trials), (\d+) violations`),
	"faults":        regexp.MustCompile(`(\d+) of \d+ faults came about`),
	"power cuts":    regexp.MustCompile(`(\d+) power cuts, `),
	"fs cuts":       regexp.MustCompile(`(\d+) fs cuts `),
	"kills":         regexp.MustCompile(`(\d+) kills, \d+ sessions`),
	"model ops":     regexp.MustCompile(`seed \d+: (\d+) model ops`),
	"same answers":  regexp.MustCompile(`seed \d+: (\d+) metamorphic ops`),
	"damage trials": regexp.MustCompile(`seed \d+: (\d+) damage trials`),
	"backups":       regexp.MustCompile(`seed \d+: (\d+) backups`),
	"skipped":       regexp.MustCompile(`--- (SKIP)`),
}

func (t tally) read(out string) {
	for column, re := range counts {
		for _, m := range re.FindAllStringSubmatch(out, -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				n = 1
			}
			t[column] += n
		}
	}
	t["violations"] += strings.Count(out, "Illegal; again with") + strings.Count(out, "violation; again with")
}
