package tone

import (
	"fmt"
	"math/bits"
	"strings"
)

// Set is a set of tones. The zero Set is empty.
type Set uint32

// All is the set of the 17 tones.
const All Set = 1<<Flash<<1 - 1<<Tone0

// Digits is the set of the tones 0 to 9.
const Digits Set = 1<<Tone9<<1 - 1<<Tone0

// SetOf returns the set of these tones; what is no tone is left out.
func SetOf(all ...Tone) Set {
	var s Set
	for _, t := range all {
		if t.Valid() {
			s |= 1 << t
		}
	}
	return s
}

// ParseSet returns the set of the tones with these characters, such as "12#".
func ParseSet(chars string) (Set, error) {
	var s Set
	for i, r := range chars {
		t, err := FromChar(r)
		if err != nil {
			return 0, fmt.Errorf("tone: set %q at index %d: %w", chars, i, err)
		}
		s |= 1 << t
	}
	return s, nil
}

// MustParseSet is ParseSet for sets that are written in the source: it panics with the error.
func MustParseSet(chars string) Set {
	s, err := ParseSet(chars)
	if err != nil {
		panic(err)
	}
	return s
}

// Contains reports whether t is in the set.
func (s Set) Contains(t Tone) bool { return t.Valid() && s&(1<<t) != 0 }

// Len returns how many tones are in the set.
func (s Set) Len() int { return bits.OnesCount32(uint32(s & All)) }

// String returns the characters, in the order of the tones.
func (s Set) String() string {
	var b strings.Builder
	for t := Tone0; t.Valid(); t++ {
		if s.Contains(t) {
			b.WriteByte(t.Char())
		}
	}
	return b.String()
}
