package api

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// maxBuckets is how many users' requests are counted at once. Whoever has made
// none for longest is forgotten first.
const maxBuckets = 10_000

// rates counts each user's requests: a bucket holds as many as an hour allows,
// and fills again as the hour goes by.
type rates struct {
	perHour float64

	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time // when left was right
}

// newRates allows so many requests an hour; nil, which allows all, for 0.
func newRates(perHour int) *rates {
	if perHour == 0 {
		return nil
	}
	return &rates{perHour: float64(perHour), buckets: map[string]*bucket{}}
}

// left is how many requests a user has left, without counting one.
func (l *rates) left(user string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.bucket(user).left)
}

// take counts a request. If there is none left, it says in how long there is.
func (l *rates) take(user string) (left int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(user)
	if b.left < 1 {
		return 0, time.Duration((1 - b.left) / l.perHour * float64(time.Hour))
	}
	b.left--
	return int(b.left), 0
}

// bucket finds a user's bucket, filled as it is now.
func (l *rates) bucket(user string) *bucket {
	now := time.Now()
	b, known := l.buckets[user]
	if !known {
		if len(l.buckets) >= maxBuckets {
			l.forget()
		}
		b = &bucket{left: l.perHour, at: now}
		l.buckets[user] = b
	}
	b.left = min(l.perHour, b.left+now.Sub(b.at).Hours()*l.perHour)
	b.at = now
	return b
}

func (l *rates) forget() {
	oldest := ""
	for user, b := range l.buckets {
		if oldest == "" || b.at.Before(l.buckets[oldest].at) {
			oldest = user
		}
	}
	delete(l.buckets, oldest)
}

// count counts a request of a user who has signed in, and tells them how many
// are left.
func (a *api) count(w http.ResponseWriter, r *http.Request, by state.Actor) error {
	if a.rates == nil {
		return nil
	}
	var left int
	var wait time.Duration
	if r.URL.Path == rateLimitsPath {
		left = a.rates.left(by.User)
	} else {
		left, wait = a.rates.take(by.User)
	}
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(left))
	w.Header().Set("RateLimit-Multiplier", "1")
	if wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return &wordsError{
			text: "Your account reached the API rate limit of " + strconv.Itoa(a.APIRate) + " requests an hour. Wait " +
				strconv.Itoa(seconds) + " s, or have whoever runs the server raise --api-rate",
			kind: errTooMany,
		}
	}
	return nil
}

// rateLimitsPath is not counted, so that who waits may look.
const rateLimitsPath = "/account/rate-limits"

func (a *api) rateLimits(_ *http.Request, by state.Actor) (int, any, error) {
	if a.rates == nil {
		return http.StatusOK, wire.RateLimit{Remaining: defaultRate}, nil
	}
	return http.StatusOK, wire.RateLimit{Remaining: a.rates.left(by.User)}, nil
}

// defaultRate is how many requests an hour Heroku allows, and what is shown as
// left where there is no limit.
const defaultRate = 4500
