package operation

// An error is code of others: its methods may panic, block, exit the goroutine, call whatever they
// like, or unwrap to themselves for ever. So none is asked while a lock is held, and what asks it
// here ends.

// maxErrors is how many errors of a tree are asked for a Reason.
const maxErrors = 1000

// ReasonOf returns the Reason that [FindReason] finds in err, or [Unspecified]; also for a nil err:
// what reports a failure has not succeeded.
func ReasonOf(err error) Reason {
	if r, ok := FindReason(err); ok {
		return r
	}
	return Unspecified
}

// FindReason returns the Reason that [errors.As] finds in err, if it is one of a failure. It looks
// at the first 1,000 errors of err's tree, and finds nothing where one of their methods panics. It
// must not be called while holding a lock, since these methods may block.
func FindReason(err error) (found Reason, ok bool) {
	defer func() {
		if recover() != nil {
			found, ok = 0, false
		}
	}()
	found, ok = findIn[Reason](err)
	return found, ok && found.Status() == Failed
}

func findIn[T error](err error) (found T, ok bool) {
	left := maxErrors
	return find[T](err, &left)
}

// find is errors.As, with a bound on the errors it looks at.
func find[T error](err error, left *int) (found T, ok bool) {
	for err != nil && *left > 0 {
		*left--
		if r, ok := err.(T); ok { //nolint:errorlint // this is what unwraps
			return r, true
		}
		as, ok := err.(interface{ As(target any) bool })
		if ok && as.As(&found) {
			return found, true
		}
		switch tree := err.(type) { //nolint:errorlint // this is what unwraps
		case interface{ Unwrap() error }:
			err = tree.Unwrap()
		case interface{ Unwrap() []error }:
			for _, err := range tree.Unwrap() {
				if *left <= 0 {
					break
				}
				if r, ok := find[T](err, left); ok {
					return r, true
				}
			}
			return found, false
		default:
			return found, false
		}
	}
	return found, false
}
