package hand

// fifo is the operations that wait, in order, in a slice that is used again.
type fifo struct {
	ops  []*Op
	head int
}

func (f *fifo) len() int { return len(f.ops) - f.head }

func (f *fifo) push(o *Op) {
	if f.head > 0 && len(f.ops) == cap(f.ops) { // move up before growing
		n := copy(f.ops, f.ops[f.head:])
		clear(f.ops[n:])
		f.ops, f.head = f.ops[:n], 0
	}
	f.ops = append(f.ops, o)
}

func (f *fifo) pop() *Op {
	o := f.ops[f.head]
	f.ops[f.head] = nil
	if f.head++; f.head == len(f.ops) {
		f.ops, f.head = f.ops[:0], 0
	}
	return o
}

// drain appends all to s, and lets go of a buffer that is large.
func (f *fifo) drain(s []*Op) []*Op {
	s = append(s, f.ops[f.head:]...)
	if clear(f.ops); cap(f.ops) > keepEvents {
		f.ops = nil
	}
	f.ops, f.head = f.ops[:0], 0
	return s
}
