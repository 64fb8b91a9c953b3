package sflow

// For tests that look at what was counted, and at how much is kept.
var (
	Samples           = samples
	InterfaceCounters = interfaceCounters
	LostSamples       = lostSamples
)

const MaxNames = maxNames

// Names returns how many port names are kept.
func (d *Decoder) Names() int { return len(d.names) }
