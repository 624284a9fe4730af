package acm

import (
	"time"

	api "gatehouse/internal/awsapi/acm"
)

const (
	// ordersPerHour is the usual Options.OrdersPerHour: what Let's Encrypt allows of
	// one who orders.
	ordersPerHour = 100
	// shareTime is what orders are counted over.
	shareTime = time.Hour
)

// A shares counts the orders of accounts at an authority that knows them as one: what
// it allows an hour is theirs together, and none may spend it for all. Each of those
// that order has an equal part, and one such part is left for who comes next. What
// signs at once is the gateway's own and counts nothing.
type shares struct {
	perHour int
	// orders are the times of each account's of the last hour, the oldest first.
	orders map[string][]time.Time
	// told is when it was last logged that an account has spent its share.
	told map[string]time.Time
}

// begin counts an order.
func (s *shares) begin(account string, now time.Time) {
	s.orders[account] = append(s.orders[account], now)
}

// forget drops what was longer ago than an hour.
func (s *shares) forget(now time.Time) {
	for account, orders := range s.orders {
		for len(orders) > 0 && now.Sub(orders[0]) >= shareTime {
			orders = orders[1:]
		}
		if s.orders[account] = orders; len(orders) == 0 {
			delete(s.orders, account)
		}
	}
}

// spent tells whether an account had its share of the last hour. working is what is
// worked on for it, which may not have begun yet: who counts twice waits until that
// ends. others is how many accounts beside it may order at all: alone, it has what
// there is.
func (s *shares) spent(account string, working, others int, now time.Time) bool {
	if others == 0 {
		return false
	}
	s.forget(now)
	parts := len(s.orders) + 1
	if len(s.orders[account]) == 0 {
		parts++
	}
	return len(s.orders[account])+working >= max(1, s.perHour/parts)
}

// tell tells whether to log that an account spent its share: once an hour.
func (s *shares) tell(account string, now time.Time) bool {
	if last, ok := s.told[account]; ok && now.Sub(last) < shareTime {
		return false
	}
	s.told[account] = now
	return true
}

// ordering counts the accounts that have certificates which an issuer signs.
func (d *Directory) ordering() int {
	accounts := map[string]struct{}{}
	for _, found := range d.entries.Range {
		if e := found.(*entry); e.kind.Value() == api.CertificateTypeAmazonIssued {
			accounts[e.scope.Value().Account] = struct{}{}
		}
	}
	return len(accounts)
}

// admits tells whether an account may have another certificate ordered now. Where
// orders take long, none has all who order them. s.mu is held.
func (s *Service) admits(account string, accounts int, now time.Time) bool {
	if !s.patient {
		return true
	}
	working := 0
	for arn := range s.running {
		if found, ok := s.directory.entries.Load(arn); ok && found.(*entry).scope.Value().Account == account {
			working++
		}
	}
	if working >= maxSigning-1 {
		return false
	}
	if !s.shares.spent(account, working, accounts-1, now) {
		return true
	}
	if working == 0 && s.shares.tell(account, now) {
		s.log.Warn("an account has spent its share of the authority's orders of this hour; its certificates wait", "account", account, "orders", len(s.shares.orders[account]))
	}
	return false
}
