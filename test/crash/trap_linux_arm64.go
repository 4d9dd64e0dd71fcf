package crash

const (
	sysSeccomp = 277
	sysRename  = 38 // renameat: what package os uses
)
