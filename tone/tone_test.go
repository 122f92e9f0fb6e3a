package tone_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ivrqueue/tone"
)

func TestThereAre17TonesWithNamesAndCharacters(t *testing.T) {
	t.Parallel()
	names := strings.Fields("tone0 tone1 tone2 tone3 tone4 tone5 tone6 tone7 tone8 tone9 star pound a b c d flash")
	const chars = "0123456789*#ABCD!"
	if len(names) != 17 || tone.All.Len() != 17 || tone.All.String() != chars {
		t.Fatalf("%d tones: %v", tone.All.Len(), tone.All)
	}
	for i, name := range names {
		byName, err := tone.Parse(name)
		if err != nil || byName.String() != name || byName.Char() != chars[i] || int(byName) != i+1 {
			t.Errorf("%s: %v %c, %v", name, byName, byName.Char(), err)
		}
		if byChar, err := tone.FromChar(rune(chars[i])); err != nil || byChar != byName {
			t.Errorf("%c: %v, %v", chars[i], byChar, err)
		}
		text, err := json.Marshal(byName)
		var back tone.Tone
		if err != nil || json.Unmarshal(text, &back) != nil || back != byName || string(text) != `"`+name+`"` {
			t.Errorf("%s as JSON: %s, %v, back %v", name, text, err, back)
		}
	}
	if lower, err := tone.FromChar('d'); err != nil || lower != tone.D {
		t.Errorf("d: %v, %v", lower, err)
	}
}

func TestWhatIsNoToneIsNamed(t *testing.T) {
	t.Parallel()
	want := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "tone: ") || !strings.Contains(err.Error(), what) {
			t.Errorf("got %v, want an error with %s", err, what)
		}
	}
	for _, name := range []string{"", "Tone1", "tone10", "1", "e"} {
		_, err := tone.Parse(name)
		want(`"`+name+`"`, err)
	}
	for _, c := range "e$ 😀" {
		_, err := tone.FromChar(c)
		want(string(c), err)
	}
	_, err := tone.ParseSet("12x#")
	want("'x'", err)
	want("index 2", err)
	_, err = tone.Tone(18).MarshalText()
	want("Tone(18)", err)
	var s tone.Stream
	for _, bad := range []tone.Tone{0, 18, 255} {
		_, err = s.Publish(bad)
		want("17 tones", err)
	}
	_, err = s.Publish('5') // the mistake of who has characters
	want("tone: Tone(53), must be one of the 17 tones; FromChar('5') is tone5", err)
	if seq, _ := s.Publish(tone.A); seq != 1 {
		t.Errorf("a refused tone took a number: the next is %d", seq)
	}
	if tone.Tone(0).Char() != 0 || tone.Tone(0).Valid() || tone.Tone(0).String() != "Tone(0)" {
		t.Error("the zero Tone is something")
	}
}

func TestSetsAreParsedAndPrinted(t *testing.T) {
	t.Parallel()
	s, err := tone.ParseSet("#21#")
	if err != nil || s != tone.SetOf(tone.Tone1, tone.Tone2, tone.Pound, 0, 99) || s.String() != "12#" || s.Len() != 3 {
		t.Errorf("%v %v", s, err)
	}
	if !s.Contains(tone.Pound) || s.Contains(tone.Star) || s.Contains(0) || s.Contains(99) {
		t.Error("contains what it should not, or not what it should")
	}
	if empty, err := tone.ParseSet(""); err != nil || empty != 0 || empty.String() != "" {
		t.Errorf("%v %v", empty, err)
	}
}

func FuzzParseSet(f *testing.F) {
	f.Add("12#")
	f.Add("x")
	f.Fuzz(func(t *testing.T, chars string) {
		s, err := tone.ParseSet(chars)
		if err != nil {
			return
		}
		if again, err := tone.ParseSet(s.String()); err != nil || again != s {
			t.Errorf("%q is %v, again %v, %v", chars, s, again, err)
		}
	})
}
