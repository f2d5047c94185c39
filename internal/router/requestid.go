package router

import "github.com/google/uuid"

// requestID keeps a client's own X-Request-Id if it is one that logs can hold,
// and makes one otherwise.
func requestID(given string) string {
	if len(given) < 20 || len(given) > 200 {
		return uuid.NewString()
	}
	for i := range len(given) {
		switch c := given[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return uuid.NewString()
		}
	}
	return given
}
