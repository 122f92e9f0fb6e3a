package main

// miss is a budget that cannot be met, the figure that it is held to instead, so that it gets no
// worse unseen, and why.
type miss struct {
	id    string
	held  float64 // in the unit of the budget
	short float64 // the same with -short, if that compares another ratio
	why   string
}

// misses are the known ones. Whoever adds one says in why what was tried.
var misses = []miss{}

// knownMiss returns the known miss of a budget, or nil.
func knownMiss(id string) *miss {
	for i := range misses {
		if misses[i].id == id {
			return &misses[i]
		}
	}
	return nil
}
