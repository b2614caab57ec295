package rig

// PartVariable is set where this program is started again to be a part of a run. It is for tests, which are the program then.
const PartVariable = "LETTERLOCK_SOAK_PART"

// The parts, as commands of the program.
const (
	clockServer = "server"
	fickleDisk  = "disk"
)
