package graph

import (
	"net/http"
	"strings"
)

// BearerToken returns the token of a request that has one in its Authorization header, for a
// [Platform]'s Authenticate: the scheme in any letter case, one space or more, and the token (RFC
// 6750, 2.1; RFC 9110, 11.4). It reports false if there is no such header, more than one, one of
// another scheme, or one whose token has other characters than tokens have.
func BearerToken(r *http.Request) (token string, ok bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(strings.Trim(values[0], " \t"), " ")
	token = strings.TrimLeft(token, " ")
	return token, found && strings.EqualFold(scheme, "Bearer") && IsBearerToken(token)
}

// IsBearerToken reports whether a text can be a bearer token: letters, digits and -._~+/, then any
// number of = (RFC 6750, 2.1, b64token).
func IsBearerToken(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') &&
			!strings.ContainsRune("-._~+/", r)
	})
}
