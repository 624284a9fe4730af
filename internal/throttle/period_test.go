package throttle

import (
	"testing"
	"time"
)

func TestPeriods(t *testing.T) {
	const layout = "2006-01-02T15:04:05Z07:00"
	date := func(day int32) string { return time.Unix(int64(day)*secondsPerDay, 0).UTC().Format("2006-01-02") }
	for _, test := range []struct {
		period      Period
		at          string
		first, next string
	}{
		{Day, "2026-11-26T00:00:00Z", "2026-11-26", "2026-11-27"},
		{Day, "2026-11-26T23:59:59Z", "2026-11-26", "2026-11-27"},
		{Day, "2026-11-26T23:59:59-01:00", "2026-11-27", "2026-11-28"},
		{NoPeriod, "2026-11-26T12:00:00Z", "2026-11-26", "2026-11-27"},
		{Week, "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-30"},
		{Week, "2026-11-26T12:00:00Z", "2026-11-23", "2026-11-30"},
		{Week, "2026-11-29T23:59:59Z", "2026-11-23", "2026-11-30"},
		{Week, "1970-01-01T00:00:00Z", "1969-12-29", "1970-01-05"},
		{Week, "1969-12-28T23:00:00Z", "1969-12-22", "1969-12-29"},
		{Month, "2026-11-30T23:59:59Z", "2026-11-01", "2026-12-01"},
		{Month, "2026-12-01T00:00:00Z", "2026-12-01", "2027-01-01"},
		{Month, "2028-02-29T12:00:00Z", "2028-02-01", "2028-03-01"},
	} {
		at, err := time.Parse(layout, test.at)
		if err != nil {
			t.Fatal(err)
		}
		day := dayOf(at)
		if first, next := date(test.period.start(day)), date(test.period.next(day)); first != test.first || next != test.next {
			t.Errorf("period %d of %s is %s to %s, want %s to %s", test.period, test.at, first, next, test.first, test.next)
		}
	}
	for name, want := range map[string]Period{"DAY": Day, "WEEK": Week, "MONTH": Month, "YEAR": NoPeriod, "": NoPeriod} {
		if got := ParsePeriod(name); got != want {
			t.Errorf("%s is period %d", name, got)
		}
	}
}
