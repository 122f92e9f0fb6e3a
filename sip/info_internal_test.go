package sip

import (
	"testing"
	"time"

	"ivrqueue/tone"
)

func TestInfoKey(t *testing.T) {
	tests := []struct {
		name, kind, body string
		want             byte // 0: none
	}{
		{"relay", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5'},
		{"relay with spaces", "Application/DTMF-Relay", "Signal= *\nDuration= 100", '*'},
		{"relay, the other way round", "application/dtmf-relay", "Duration=160\r\nsignal=#\r\n", '#'},
		{"relay by number", "application/dtmf-relay", "Signal=11\r\n", '#'},
		{"relay of a letter", "application/dtmf-relay", "Signal=d", 'D'},
		{"relay of a flash", "application/dtmf-relay", "Signal=16", '!'},
		{"plain", "application/dtmf", "7", '7'},
		{"plain with a charset", "application/dtmf; charset=us-ascii", "7\r\n", '7'},
		{"plain with a name", "application/dtmf", "Signal=7", '7'},
		{"no signal", "application/dtmf-relay", "Duration=160", 0},
		{"too high a number", "application/dtmf-relay", "Signal=17", 0},
		{"no key", "application/dtmf", "x", 0},
		{"two keys", "application/dtmf", "7 8", 0},
		{"a sign", "application/dtmf", "+7", 0},
		{"empty", "application/dtmf", "", 0},
		{"another type", "application/json", "7", 0},
		{"no type", "", "7", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := infoKey(tt.kind, tt.body)
			if ok != (tt.want != 0) || ok && got.Char() != tt.want {
				t.Errorf("got %v and %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func FuzzInfoKey(f *testing.F) {
	f.Add("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n")
	f.Add("application/dtmf", "5")
	f.Add("application/dtmf", "0A")
	f.Fuzz(func(t *testing.T, kind, body string) {
		if key, ok := infoKey(kind, body); ok != key.Valid() {
			t.Errorf("got %v and %v of %q", key, ok, body)
		}
	})
}

func TestKeysComeInTheOrderOfTheirRequests(t *testing.T) {
	type request struct {
		at     time.Duration
		number uint32
		key    byte // 0: a request without one
	}
	ms := time.Millisecond
	tests := []struct {
		name     string
		begun    bool
		requests []request
		want     string
		at       time.Duration // when all are delivered at the latest
	}{
		{"in order", true, []request{{0, 11, '1'}, {0, 12, '2'}}, "12", 0},
		{"swapped", true, []request{{0, 12, '2'}, {50 * ms, 11, '1'}}, "12", 50 * ms},
		{"one is lost", true, []request{{0, 12, '2'}, {30 * ms, 13, '3'}}, "23", 100 * ms},
		{"one is too late", true, []request{{0, 12, '2'}, {150 * ms, 11, '1'}}, "2", 100 * ms},
		{"one comes twice", true, []request{{0, 12, '2'}, {0, 12, '2'}, {ms, 11, '1'}}, "12", ms},
		{"another request between", true, []request{{0, 11, '1'}, {0, 12, 0}, {0, 13, '3'}}, "13", 0},
		{"no number is known", false, []request{{0, 700, '1'}, {0, 701, '2'}}, "12", 0},
		{"the first number is 0", false, []request{{0, 0, '1'}, {0, 1, '2'}}, "12", 0},
		{"the last number that there is", false, []request{{0, 1<<32 - 2, '1'}, {0, 1<<32 - 1, '2'}}, "12", 0},
		{"backwards", true, []request{{0, 14, '4'}, {0, 13, '3'}, {0, 12, '2'}, {0, 11, '1'}}, "1234", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := order{begun: tt.begun, last: 10}
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			var got []byte
			last := time.Duration(0)
			tell := func(at time.Duration, keys []tone.Tone) {
				for _, k := range keys {
					got, last = append(got, k.Char()), at
				}
			}
			for at := time.Duration(0); at < 300*ms; at += ms {
				if wait, waits := o.wait(start.Add(at)); waits && wait == 0 {
					tell(at, o.due(start.Add(at)))
				}
				for _, r := range tt.requests {
					if r.at == at {
						key, _ := tone.FromChar(rune(r.key))
						tell(at, o.add(start.Add(at), r.number, key))
					}
				}
			}
			if string(got) != tt.want || last > tt.at {
				t.Errorf("got %q by %v, want %q by %v", got, last, tt.want, tt.at)
			}
		})
	}
}

func TestRequestsThatWaitAreBounded(t *testing.T) {
	var o order
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o.add(now, 1, 0)
	for i := range uint32(1000) {
		o.add(now, 3+2*i, tone.Tone1)
	}
	if len(o.waiting) > orderMost {
		t.Errorf("%d requests wait, want at most %d", len(o.waiting), orderMost)
	}
}
