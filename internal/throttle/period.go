package throttle

import "time"

// A Period is how long a quota lasts before it begins anew, in UTC.
type Period uint8

// The periods of quotas. NoPeriod is that of a plan without a quota.
const (
	NoPeriod Period = iota
	Day
	Week
	Month
)

// periods is how many periods there are beside NoPeriod.
const periods = 3

// ParsePeriod returns the period of AWS's name, NoPeriod for any other text.
func ParsePeriod(name string) Period {
	switch name {
	case "DAY":
		return Day
	case "WEEK":
		return Week
	case "MONTH":
		return Month
	}
	return NoPeriod
}

// secondsPerDay is exact: Unix time has no leap seconds.
const secondsPerDay = 24 * 60 * 60

// dayOf is the day of a moment in UTC, counted from 1 January 1970.
func dayOf(t time.Time) int32 {
	s := t.Unix()
	if s < 0 {
		s -= secondsPerDay - 1
	}
	return int32(s / secondsPerDay)
}

// start is the first day of the period that a day is in.
// UNVERIFIED: that weeks begin on Monday. That a day is one of UTC is what users
// found.
func (p Period) start(day int32) int32 {
	switch p {
	case Week:
		const thursday = 3 // 1 January 1970, counted from Monday
		return day - ((day+thursday)%7+7)%7
	case Month:
		return day - int32(time.Unix(int64(day)*secondsPerDay, 0).UTC().Day()) + 1
	default:
		return day
	}
}

// next is the first day of the period after the one that a day is in.
func (p Period) next(day int32) int32 {
	switch first := p.start(day); p {
	case Week:
		return first + 7
	case Month:
		return dayOf(time.Unix(int64(first)*secondsPerDay, 0).UTC().AddDate(0, 1, 0))
	default:
		return first + 1
	}
}
