package crash

const (
	sysSeccomp = 317
	sysRename  = 264 // renameat: what package os uses
)
