package media

// Ratio is that of two rates, as the resampler has it.
func Ratio(to, from int) (up, down int) {
	_, up, down = plan(from, to)
	return up, down
}

// ErrExited is why a call of a part that exits its goroutine fails.
var ErrExited = errExited
