package route53

import (
	"fmt"
	"time"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const (
	// changeAge is how long a change can be asked for.
	//
	// UNVERIFIED: AWS doesn't say how long it keeps them.
	changeAge = 24 * time.Hour
	// sweep is how many old changes a new one clears away: more than it adds.
	sweep = 8
)

// change keeps what GetChange shows of a change.
func (s *Service) change(tx *store.Tx, c *awswire.Call, comment *string) (*api.ChangeInfo, error) {
	random, err := s.newID(10)
	if err != nil {
		return nil, err
	}
	scope, at := scopeOf(c), c.Time.UTC().Truncate(time.Millisecond)
	old, err := changes.List(tx, scope, store.Page{Limit: sweep})
	if err != nil {
		return nil, err
	}
	for _, e := range old {
		if e.Doc.SubmittedAt != nil && at.Sub(*e.Doc.SubmittedAt) > changeAge {
			if err := changes.Delete(tx, scope, e.ID...); err != nil {
				return nil, err
			}
		}
	}
	info := api.ChangeInfo{Id: new(fmt.Sprintf("C%011X%s", at.UnixMilli(), random)), SubmittedAt: &at, Comment: comment}
	if err := changes.Put(tx, scope, &changeDoc{info}, *info.Id); err != nil {
		return nil, err
	}
	info.Id, info.Status = new("/change/"+*info.Id), new(api.ChangeStatusPending)
	return &info, nil
}
