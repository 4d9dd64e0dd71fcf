package main

// mutant is a planted bug and the test that must fail because of it.
type mutant struct {
	name    string
	promise string // section of doc.go, or the defence
	file    string // of the root module
	from    string // occurs in it exactly once
	to      string
	dir     string // where the test runs, from the repository's root
	test    string // -run
	flags   []string
	quick   bool // part of make test-push
}

const (
	root  = "."
	bolt  = "driver/boltdriver"
	bytes = "driver/boltdriver/internal/format"
	crash = "test/crash"
	lin   = "test/lin"
	power = "test/powercut"
	fscut = "test/fscut"
	spoil = "test/damage"
)

var mutants = []mutant{
	{
		name: "commits are not synced", promise: "Durability", file: "driver/boltdriver/internal/dbfile/open.go",
		from: "Timeout:         time.Second,", to: "Timeout: time.Second, NoSync: true,",
		dir: crash, test: "^TestPowerFailure$",
	},
	{
		name: "calls are acknowledged before the commit", promise: "Durability", file: "driver/boltdriver/writer.go",
		from: "\t\terr = w.finish()\n", to: "\t\tw.replyAll(ops[:n], nil)\n\t\terr = w.finish()\n",
		dir: bolt, test: "^TestUnknownOutcome$", quick: true,
	},
	{
		name: "the directory is not synced", promise: "Durability (D1)",
		file: "driver/boltdriver/internal/dbfile/file_unix.go",
		from: "\treturn d.Sync()", to: "\treturn nil",
		dir: crash, test: "^TestPowerFailure$",
	},
	{
		name: "the newest meta page is not written again at open", promise: "Durability (D3)",
		file: "driver/boltdriver/internal/dbfile/open.go",
		from: "if err := rewriteMeta(f.Handle, f.DB.Sync); err != nil {", to: "if err := error(nil); err != nil {",
		dir: crash, test: "^TestFaultThenPowerFailure$/^fdatasync:kill",
		flags: []string{"-crash.spots=10", "-crash.images=400", "-crash.steps=40"},
	},
	{
		name: "the indexes are not compared with the records at open", promise: "Errors (D12)",
		file: "driver/boltdriver/internal/dbfile/open.go",
		from: "fsck.Options{Census: true, Warm: true}", to: "fsck.Options{Warm: true}",
		dir: bolt, test: "^TestOpenComparesIndexesWithRecords$",
	},
	{
		name: "the list of free pages is not looked at before a commit", promise: "Errors (D7)",
		file: "driver/boltdriver/internal/dbfile/trusted.go",
		from: "binary.LittleEndian.Uint64(b) != m.Freelist || binary.LittleEndian.Uint16(b[8:]) != " +
			"format.FlagFreelist ||", to: "false ||",
		dir: bolt, test: "^TestTrustedPagesThatGoBadWhileOpen$",
	},
	{
		name: "an unknown outcome is reported as success", promise: "Errors (D4)", file: "driver/boltdriver/commit.go",
		from: "\treturn fmt.Errorf(\"%w: %w\", driver.ErrUnknown, err)", to: "\t_ = fmt.Errorf\n\treturn nil",
		dir: bolt, test: "^TestUnknownOutcome$",
	},
	{
		name: "writing goes on after an unknown outcome", promise: "Errors (D4)", file: "driver/boltdriver/commit.go",
		from: "\tw.failure = err\n", to: "",
		dir: crash, test: "^TestFaultThenPowerFailure$/^fdatasync:EIO$", flags: []string{"-crash.spots=6"},
	},
	{
		name: "readers see what is not durable", promise: "Concurrency (D5)", file: "driver/boltdriver/snapshot.go",
		from: "if d.durable.reached(s.commit) {", to: "if true {",
		dir: bolt, test: "^TestUnknownOutcome$",
	},
	{
		name: "a reader does not wait for the commit that extends a life", promise: "Concurrency, Expiry",
		file: "driver/boltdriver/flight.go",
		from: "return f != nil && expires > f.clockBound", to: "return false",
		dir: bolt, test: "^TestExpiryWaitsForTheCommitThatExtends$", quick: true,
	},
	{
		name: "checksums are not compared", promise: "Errors (D6)", file: "driver/boltdriver/internal/format/seal.go",
		from: "if w.Failed() || binary.BigEndian.Uint32(v[4:]) != checksum(key, v[envelopeSize:]) {",
		to:   "if w.Failed() {",
		dir:  bytes, test: "^TestEveryFlippedBitIsNoticed$", quick: true,
	},
	{
		name: "the structure is not checked at open", promise: "Errors (D2)",
		file: "driver/boltdriver/internal/dbfile/open.go",
		from: "[]func(Options) error{f.verify, f.openBolt,", to: "[]func(Options) error{f.openBolt,",
		dir: bolt, test: "^TestDamage$",
	},
	{
		name: "checksums are not compared, as readers of damaged files see it", promise: "Errors (D6)",
		file: "driver/boltdriver/internal/format/seal.go",
		from: "if w.Failed() || binary.BigEndian.Uint32(v[4:]) != checksum(key, v[envelopeSize:]) {",
		to:   "if w.Failed() {",
		dir:  spoil, test: "^TestDamagedFiles$", flags: []string{"-damage.trials=540"},
	},
	{
		name: "faults and panics of the engine end the process", promise: "Errors (D7)",
		file: "driver/boltdriver/internal/dbfile/guard.go",
		from: "if r := recover(); r != nil {", to: "if r := error(nil); r != nil {",
		dir: spoil, test: "^TestDamagedFiles$",
	},
	{
		name: "an engine that cannot end a transaction is waited for", promise: "Errors (D4)",
		file: "driver/boltdriver/commit.go",
		from: "\tw.d.file.Stuck.Store(true)\n", to: "",
		dir: bolt, test: "^TestJammedEngine$", flags: []string{"-test.timeout=60s"},
	},
	{
		name: "an index of users is skipped", promise: "Atomicity", file: "driver/boltdriver/change.go",
		from: "if len(is) > 0 {", to: "if len(is) > 0 && in != format.Users {",
		dir: root, test: "^TestStoreInFile$/^list$",
	},
	{
		name: "versions are not compared", promise: "Write modes", file: "update.go",
		from: "if s.incarnation != base.incarnation || s.Version != base.Version {",
		to:   "if s.incarnation != base.incarnation {",
		dir:  root, test: "^TestStoreInMemory$/^update$", quick: true,
	},
	{
		name: "versions are not compared, as many callers see it", promise: "Concurrency", file: "update.go",
		from: "if s.incarnation != base.incarnation || s.Version != base.Version {",
		to:   "if s.incarnation != base.incarnation {",
		dir:  lin, test: "^TestLinearizableInMemory$|^TestLinearizableInFile$",
	},
	{
		name: "the place of a cursor is shown again", promise: "Concurrency", file: "driver/boltdriver/walk.go",
		from: "\t\tw.skip = key\n", to: "",
		dir: root, test: "^TestStoreInFile$/^(cursor|list)$",
	},
	{
		name: "a key of users lacks the namespace", promise: "Isolation",
		file: "driver/boltdriver/internal/format/keys.go",
		from: "b = append(AppendU64Key(b, ns), byte(len(user)))", to: "b = append(AppendU64Key(b, 0), byte(len(user)))",
		dir: root, test: "^FuzzIsolation$|^TestStoreInFile$/^isolation$",
	},
	{
		name: "the sweeper ignores what happened since an entry was filed", promise: "Expiry", file: "sweeper.go",
		from: "case rec.Expires <= v.Now:", to: "case true:",
		dir: root, test: "^TestStoreInMemory$/^sweep$",
	},
	{
		name: "a session exists at its deadline", promise: "Expiry", file: "driver/boltdriver/read.go",
		from: "if g.head.Expires <= now ||", to: "if g.head.Expires < now ||",
		dir: root, test: "^TestStoreInFile$/^expiry$",
	},
	{
		name: "the clock runs backwards", promise: "Expiry", file: "internal/clock/clock.go",
		from: "\t\t\treturn last\n", to: "\t\t\treturn now\n",
		dir: root, test: "^TestStoreInMemory$/^clock$",
	},
	{
		name: "a message's content is not compared", promise: "Order", file: "append.go",
		from: "case ref.Digest != a.digests[m]:", to: "case false:",
		dir: root, test: "^TestStoreInMemory$/^repeat$", quick: true,
	},
	{
		name: "a repeated message is appended again", promise: "Order", file: "append.go",
		from: "return driver.Target{MessageIDs: a.givenIDs, Entries: a.merges.targets(ord)}",
		to:   "a.givenIDs = nil\n\treturn driver.Target{Entries: a.merges.targets(ord)}",
		dir:  root, test: "^TestStoreInMemory$/^repeat$",
	},
	{
		name: "marks of erasures are ignored", promise: "Erasure", file: "driver/boltdriver/internal/format/erased.go",
		from: "return s != nil && (h.Epoch < s.Epoch || h.Epoch < s.Users[UnsafeString(h.UserID)])",
		to:   "return false && s != nil",
		dir:  bolt, test: "^TestEraseUser$",
	},
	{
		name: "labels are shared with the caller", promise: "Ownership", file: "create.go",
		from: "Labels: maps.Clone(n.Labels),",
		to:   "Labels: func(any) map[string]string { return n.Labels }(maps.Clone(n.Labels)),",
		dir:  root, test: "^TestStoreInMemory$/^ownership$",
	},
	{
		name: "a lease guards nothing", promise: "Write modes", file: "append.go",
		from: "if err := s.lease.admit(a.turn.Lease, c.view.Now); err != nil {",
		to:   "if err := error(nil); err != nil {",
		dir:  root, test: "^TestStoreInMemory$/^lease$",
	},
	{
		name: "a backup begins with its newest meta page", promise: "Durability (D10)",
		file: "driver/boltdriver/backup.go",
		from: "m.Sound && m.TxID%2 == 1", to: "m.Sound && false",
		dir: bolt, test: "^TestBackupIsWrittenTo$", quick: true,
	},
	{
		name: "a newer format is opened", promise: "Errors", file: "driver/boltdriver/internal/format/schema.go",
		from: "if version == 0 || version > known {", to: "if version == 0 {",
		dir: root, test: "^TestFormatNewerIsRefused$",
	},
	{
		name: "fields of later versions are dropped", promise: "Atomicity", file: "codec.go",
		from: "bodyVersion, fields[:], s.extra)", to: "bodyVersion, fields[:], \"\")",
		dir: root, test: "^TestLaterFieldsSurvive$",
	},
	{
		name: "commits are not synced, under a disk that loses its power", promise: "Durability",
		file: "driver/boltdriver/internal/dbfile/open.go",
		from: "Timeout:         time.Second,", to: "Timeout: time.Second, NoSync: true,",
		dir: power, test: "^TestLinearizableAcrossPowerCuts$",
	},
	{
		name: "commits are not synced, on a file system that is shut down", promise: "Durability",
		file: "driver/boltdriver/internal/dbfile/open.go",
		from: "Timeout:         time.Second,", to: "Timeout: time.Second, NoSync: true,",
		dir: fscut, test: "^TestLinearizableAcrossShutdowns$",
	},
	{
		name: "commits are not synced, on a file system whose disk is cut", promise: "Durability",
		file: "driver/boltdriver/internal/dbfile/open.go",
		from: "Timeout:         time.Second,", to: "Timeout: time.Second, NoSync: true,",
		dir: fscut, test: "^TestLinearizableAcrossBlockCuts$",
	},
	{
		name: "the directory is not synced, under a disk that loses its power", promise: "Durability (D1)",
		file: "driver/boltdriver/internal/dbfile/file_unix.go",
		from: "\treturn d.Sync()", to: "\treturn nil",
		dir: power, test: "^TestLinearizableAcrossPowerCuts$",
	},
	{
		name:    "the newest meta page is not written again, under a disk that loses its power",
		promise: "Durability (D3)", file: "driver/boltdriver/internal/dbfile/open.go",
		from: "if err := rewriteMeta(f.Handle, f.DB.Sync); err != nil {", to: "if err := error(nil); err != nil {",
		dir: power, test: "^TestLinearizableAcrossPowerCuts$",
		flags: []string{"-powercut.runs=20", "-powercut.cuts=60"},
	},
	{
		name: "writing goes on after an unknown outcome, under a disk that loses its power", promise: "Errors (D4)",
		file: "driver/boltdriver/commit.go",
		from: "\tw.failure = err\n", to: "",
		dir: power, test: "^TestLinearizableAcrossPowerCuts$",
		flags: []string{"-powercut.runs=20", "-powercut.cuts=60"},
	},
	{
		name: "an unknown outcome is reported as success, under a disk that loses its power", promise: "Errors (D4)",
		file: "driver/boltdriver/commit.go",
		from: "\treturn fmt.Errorf(\"%w: %w\", driver.ErrUnknown, err)", to: "\t_ = fmt.Errorf\n\treturn nil",
		dir: power, test: "^TestLinearizableAcrossPowerCuts$",
	},
	{
		name: "a full disk stops the store", promise: "Errors", file: "driver/boltdriver/commit.go",
		from: "if dbfile.IsFull(err) && d.newestTx() == d.durableTx() {", to: "if false {",
		dir: fscut, test: "^TestFullFileSystem$",
	},
}
