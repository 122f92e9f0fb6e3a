package operation

// NewReasonTable returns the RegisterReason of a table of its own, in which the limit may be tried.
func NewReasonTable() func(ReasonSpec) (Reason, error) { return newReasonTable().register }

// BuiltInReasons is how many reasons there are to begin with.
const BuiltInReasons = len(rows) - 1
