package api

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestBucketsFillAsTheHourGoesBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRates(60)
		for range 60 {
			if _, wait := l.take("ann"); wait != 0 {
				t.Fatalf("take within the limit = wait %s, want none", wait)
			}
		}
		if left, wait := l.take("ann"); left != 0 || wait != time.Minute {
			t.Errorf("take of one too many = %d, wait %s; want 0, 1m", left, wait)
		}
		if left, _ := l.take("bob"); left != 59 {
			t.Errorf("take of another user leaves %d, want 59", left)
		}
		time.Sleep(90 * time.Second)
		if left, wait := l.take("ann"); left != 0 || wait != 0 {
			t.Errorf("take after 90 s = %d, wait %s; want the one that has come", left, wait)
		}
		if _, wait := l.take("ann"); wait.Round(time.Second) != 30*time.Second {
			t.Errorf("another take then waits %s, want 30 s", wait)
		}
		time.Sleep(24 * time.Hour)
		if left := l.left("ann"); left != 60 {
			t.Errorf("after a day, %d are left, want the 60 of an hour", left)
		}
	})
}

func TestBucketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRates(60)
		for i := range maxBuckets + 10 {
			l.take(fmt.Sprint("user", i))
			time.Sleep(time.Millisecond)
		}
		if len(l.buckets) != maxBuckets || l.left(fmt.Sprint("user", maxBuckets+9)) != 59 {
			t.Errorf("%d users are counted, want the last %d", len(l.buckets), maxBuckets)
		}
	})
}
