package trace

import "slices"

// Rules is how many there are.
var Rules = len(rules)

// CheckWithout is Check without one rule, whose guarantee it returns too.
func CheckWithout(n int, items []Item, terms Terms) ([]Violation, string) {
	return check(items, terms, slices.Delete(slices.Clone(rules), n, n+1)), rules[n].name
}
