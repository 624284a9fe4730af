package logs

import (
	"fmt"
	"time"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/logstore"
)

// AWS's limits of one PutLogEvents call.
const (
	maxBatchBytes = 1 << 20
	maxBatchSpan  = 24 * time.Hour
	maxEventAge   = 14 * 24 * time.Hour
	maxEventAhead = 2 * time.Hour
)

// PutLogEvents appends events to a stream. Those too old or too new are left
// out and told in the answer.
func (s *Service) PutLogEvents(c *awswire.Call, in *api.PutLogEventsRequest) (*api.PutLogEventsResponse, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	g, doc, err := s.events(c, *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	exists, err := g.HasStream(*in.LogStreamName)
	if err != nil {
		return nil, logError(err)
	}
	if !exists {
		return nil, noStream()
	}
	now := s.now()
	events, rejected := sortOut(in.LogEvents, now, doc.RetentionInDays)
	if len(events) > 0 && !g.Append(*in.LogStreamName, events...) {
		return nil, api.NewServiceUnavailableException("The service cannot complete the request.")
	}
	if err := g.Flush(); err != nil {
		return nil, logError(err)
	}
	return &api.PutLogEventsResponse{NextSequenceToken: new(sequenceToken(now.UnixMilli())), RejectedLogEventsInfo: rejected}, nil
}

func checkBatch(events []api.InputLogEvent) error {
	size := 0
	for i, e := range events {
		size += len(*e.Message) + logstore.EventOverheadBytes
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > maxBatchBytes {
		return invalid(fmt.Sprintf("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes))
	}
	if n := len(events); n > 0 && *events[n-1].Timestamp-*events[0].Timestamp > maxBatchSpan.Milliseconds() {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// sortOut leaves out what is too old, expired or too new. The events are in
// order, so each of those is one run at an end.
func sortOut(in []api.InputLogEvent, now time.Time, retention *int32) ([]logstore.Event, *api.RejectedLogEventsInfo) {
	var rejected api.RejectedLogEventsInfo
	old := now.Add(-maxEventAge).UnixMilli()
	expired := retentionStart(now, retention)
	ahead := now.Add(maxEventAhead).UnixMilli()
	var events []logstore.Event
	for i, e := range in {
		switch t := *e.Timestamp; {
		case t < expired:
			rejected.ExpiredLogEventEndIndex = new(int32(i + 1))
		case t < old:
			rejected.TooOldLogEventEndIndex = new(int32(i + 1))
		case t > ahead:
			if rejected.TooNewLogEventStartIndex == nil {
				rejected.TooNewLogEventStartIndex = new(int32(i))
			}
		default:
			events = append(events, logstore.Event{Timestamp: t, Message: *e.Message})
		}
	}
	if rejected == (api.RejectedLogEventsInfo{}) {
		return events, nil
	}
	return events, &rejected
}

// retentionStart is the least timestamp that the retention keeps.
func retentionStart(now time.Time, days *int32) int64 {
	if days == nil {
		return 0
	}
	return now.Add(-time.Duration(*days) * 24 * time.Hour).UnixMilli()
}
