package graph

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// wholeNumber reads a member that is a whole number from low to high, none of them negative. A
// number is whole if its value is, however it is written: 5, 5.0 or 50e-1 (RFC 8259, 6). It reports
// false for a member that is absent or null.
func wholeNumber(member string, raw json.RawMessage, low, high int32) (int32, bool, error) {
	const whole = "a whole number"
	switch text := string(raw); {
	case text == "" || text == "null":
		return 0, false, nil
	case !isNumber(raw):
		return 0, false, invalid(member, kindOfJSON(raw), whole)
	default:
		digits, zeros := significant(text)
		shown := cut(text, 40)
		if zeros < 0 {
			return 0, false, invalid(member, shown, whole)
		}
		// Ten digits are more than any int32 has, so no number is written out that is longer.
		n, err := strconv.ParseInt(digits+strings.Repeat("0", min(zeros, 10)), 10, 32)
		if err != nil || n < int64(low) || n > int64(high) || text[0] == '-' && n != 0 {
			return 0, false, invalid(member, shown, fmt.Sprintf("%d to %d", low, high))
		}
		return int32(n), true, nil
	}
}

// significant splits the value of a JSON number, its sign aside, into its digits, without zeros at
// either end, and how many zeros follow; fewer than none if digits are behind the point.
func significant(number string) (digits string, zeros int) {
	number = strings.TrimPrefix(number, "-")
	var exponent int
	if e := strings.IndexAny(number, "eE"); e >= 0 {
		// One that no int holds becomes the nearest that is one: no body is so long that the digits
		// make up for it.
		exponent, _ = strconv.Atoi(number[e+1:])
		exponent = min(max(exponent, -1<<30), 1<<30)
		number = number[:e]
	}
	integer, fraction, _ := strings.Cut(number, ".")
	digits = strings.TrimLeft(integer+fraction, "0")
	if digits == "" {
		return "0", 0
	}
	trimmed := strings.TrimRight(digits, "0")
	return trimmed, exponent - len(fraction) + len(digits) - len(trimmed)
}

func isNumber(raw json.RawMessage) bool { return raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9' }

// kindOfJSON names what a value is, as the decoder does.
func kindOfJSON(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	default:
		return "number"
	}
}
