package tone

import "fmt"

// Tone is a key press. The zero Tone is not a tone. Its number is not the key's: Tone(5) is
// [Tone4], and a character is none of them. [FromChar] makes the tone of a character, [Parse] that
// of a name.
type Tone uint8

// The 17 tones of Graph's toneInfo.
const (
	Tone0 Tone = iota + 1
	Tone1
	Tone2
	Tone3
	Tone4
	Tone5
	Tone6
	Tone7
	Tone8
	Tone9
	Star
	Pound
	A
	B
	C
	D
	Flash // hook flash, written '!'
)

// tones is the one table of names, as Graph has them, and of characters.
var tones = [...]struct {
	name string
	char byte
}{
	Tone0: {"tone0", '0'}, Tone1: {"tone1", '1'}, Tone2: {"tone2", '2'}, Tone3: {"tone3", '3'},
	Tone4: {"tone4", '4'}, Tone5: {"tone5", '5'}, Tone6: {"tone6", '6'}, Tone7: {"tone7", '7'},
	Tone8: {"tone8", '8'}, Tone9: {"tone9", '9'}, Star: {"star", '*'}, Pound: {"pound", '#'},
	A: {"a", 'A'}, B: {"b", 'B'}, C: {"c", 'C'}, D: {"d", 'D'}, Flash: {"flash", '!'},
}

// Valid reports whether t is one of the 17 tones.
func (t Tone) Valid() bool { return t != 0 && int(t) < len(tones) }

// String returns Graph's name: tone0 to tone9, star, pound, a to d, flash.
func (t Tone) String() string {
	if !t.Valid() {
		return fmt.Sprintf("Tone(%d)", uint8(t))
	}
	return tones[t].name
}

// Char returns the character: 0 to 9, '*', '#', A to D, '!' for flash; zero for what is no tone.
func (t Tone) Char() byte {
	if !t.Valid() {
		return 0
	}
	return tones[t].char
}

// Parse returns the tone of this name, as String has it.
func Parse(name string) (Tone, error) {
	for t := Tone0; t.Valid(); t++ {
		if tones[t].name == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("tone: name %q, must be tone0 to tone9, star, pound, a to d, or flash", name)
}

// FromChar returns the tone of this character; a to d may be lower case.
func FromChar(r rune) (Tone, error) {
	if r >= 'a' && r <= 'd' {
		r -= 'a' - 'A'
	}
	for t := Tone0; t.Valid(); t++ {
		if rune(tones[t].char) == r {
			return t, nil
		}
	}
	return 0, fmt.Errorf("tone: character %q, must be one of 0123456789*#ABCD!abcd", r)
}

// MarshalText returns the name.
func (t Tone) MarshalText() ([]byte, error) {
	if !t.Valid() {
		return nil, t.invalid()
	}
	return []byte(t.String()), nil
}

// UnmarshalText parses the name.
func (t *Tone) UnmarshalText(text []byte) (err error) {
	parsed, err := Parse(string(text))
	if err == nil {
		*t = parsed
	}
	return err
}

func (t Tone) invalid() error {
	if of, err := FromChar(rune(t)); err == nil {
		return fmt.Errorf("tone: %v, must be one of the %d tones; FromChar(%q) is %v",
			t, len(tones)-1, rune(t), of)
	}
	return fmt.Errorf("tone: %v, must be one of the %d tones", t, len(tones)-1)
}
