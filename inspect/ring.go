package inspect

// ring is the last few of something, each with a number: 1, 2, 3, without gaps. It grows up to its
// limit and then overwrites the oldest.
type ring[T any] struct {
	items []T
	last  uint64 // number of the newest
}

// add adds an item.
func (r *ring[T]) add(item T, limit int) {
	r.last++
	if len(r.items) < limit {
		r.items = append(r.items, item)
		return
	}
	*r.at(r.last) = item
}

// first is the number of the oldest.
func (r *ring[T]) first() uint64 { return r.last - uint64(len(r.items)) + 1 }

// at returns the item with a number from first to last.
func (r *ring[T]) at(number uint64) *T { return &r.items[(number-1)%uint64(len(r.items))] }
