package apigatewayv2

import (
	"errors"
	"strconv"

	"gatehouse/internal/paging"
	"gatehouse/internal/store"
)

// defaultPage is how many items a page has when maxResults doesn't say.
// UNVERIFIED: AWS's own default for this service.
const defaultPage = 100

// A pageRequest is how this service asks for a page: the number is a string.
type pageRequest struct{ max, token *string }

// list returns one page of the documents below prefix and the next token, nil
// at the end. item turns an entry into what the answer carries.
func list[T, Item any](tx *store.Tx, s store.Scope, kind store.Kind[T], p pageRequest, item func(store.Entry[T]) Item, prefix ...string) ([]Item, *string, error) {
	limit := defaultPage
	if value(p.max) != "" {
		n, err := strconv.Atoi(*p.max)
		if err != nil || n < 1 {
			// UNVERIFIED: the words.
			return nil, nil, badRequest("Invalid value for maxResults: %s", *p.max)
		}
		limit = min(n, 500)
	}
	entries, next, err := kind.ListToken(tx, s, value(p.token), limit, prefix...)
	if errors.Is(err, paging.ErrBadToken) {
		return nil, nil, badRequest("Invalid NextToken")
	}
	if err != nil {
		return nil, nil, err
	}
	items := make([]Item, 0, len(entries))
	for _, e := range entries {
		items = append(items, item(e))
	}
	if next == "" {
		return items, nil, nil
	}
	return items, &next, nil
}
