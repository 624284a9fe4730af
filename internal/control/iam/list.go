package iam

import (
	"iter"
	"strings"

	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// defaultMaxItems is how long a page is unless MaxItems says otherwise.
const defaultMaxItems = 100

// A pager cuts a page out of a sequence that comes in the order of its ids.
type pager struct {
	after string
	limit int

	last      string
	n         int
	truncated bool
}

func newPager(marker *string, maxItems *int32) (*pager, error) {
	p := &pager{limit: defaultMaxItems}
	if maxItems != nil && *maxItems > 0 {
		p.limit = int(*maxItems)
	}
	after, err := paging.Decode(value(marker))
	if err != nil || len(after) > 1 {
		return nil, invalid("Invalid Marker.")
	}
	if len(after) == 1 {
		p.after = after[0]
	}
	return p, nil
}

// passed tells whether the item with the id belongs to an earlier page.
func (p *pager) passed(id string) bool { return p.after != "" && id <= p.after }

// take tells whether the item with the id is on the page; once it isn't, the
// page is full.
func (p *pager) take(id string) bool {
	if p.n == p.limit {
		p.truncated = true
		return false
	}
	p.n++
	p.last = id
	return true
}

// isTruncated and marker are the members of the answer.
func (p *pager) isTruncated() *bool { return new(p.truncated) }

func (p *pager) marker() *string {
	if !p.truncated {
		return nil
	}
	return new(paging.Encode(p.last))
}

// page calls add with the documents of the page among those that keep holds
// for.
func page[T any](p *pager, docs iter.Seq2[store.Entry[T], error], keep func(*T) bool, add func(*T)) error {
	for e, err := range docs {
		if err != nil {
			return err
		}
		id := e.ID[len(e.ID)-1]
		if p.passed(id) || !keep(e.Doc) {
			continue
		}
		if !p.take(id) {
			return nil
		}
		add(e.Doc)
	}
	return nil
}

// pageOf is page over a list whose items are their own ids, sorted.
func pageOf(p *pager, ids []string, add func(id string)) {
	for _, id := range ids {
		if p.passed(id) {
			continue
		}
		if !p.take(id) {
			return
		}
		add(id)
	}
}

// under tells whether a path begins as PathPrefix asks.
func under(prefix, path *string) bool {
	return prefix == nil || strings.HasPrefix(value(path), *prefix)
}
