package peer

import "path/filepath"

var boltRecordKind = Kind{
	Name: "bbolt, record alone",
	What: "one Update a write, without any index, counter or feed: the record, and for an append the message",
	Open: func(dir string) (Peer, error) { return openBolt(filepath.Join(dir, "boltrecord.db"), "rl") },
}
