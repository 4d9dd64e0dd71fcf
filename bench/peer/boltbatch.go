package peer

import "path/filepath"

var boltBatchKind = Kind{
	Name: "bbolt Batch", What: "DB.Batch with its defaults, with the same puts as Seshat's",
	Open: func(dir string) (Peer, error) {
		p, err := openBolt(filepath.Join(dir, "boltbatch.db"), "rcuaslifnxm")
		if err != nil {
			return nil, err
		}
		p.write = p.db.Batch
		return p, nil
	},
}
