package logs

import (
	"math"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/logstore"
)

// Limits of one answer with events.
const (
	maxEvents     = 10_000
	maxEventBytes = 1 << 20
	// maxSearched bounds how many events one FilterLogEvents call looks at; the
	// next token continues.
	maxSearched = 200_000
)

// A cursor is GetLogEvents's token: "f/" and a position to read on from, or
// "b/" and one to read back from, both without the event that has it.
type cursor struct {
	backward bool
	position logstore.Position
}

func (t cursor) String() string {
	direction := "f/"
	if t.backward {
		direction = "b/"
	}
	return direction + t.position.String() + "/s"
}

func parseCursor(token string) (cursor, error) {
	text, ok := strings.CutSuffix(token, "/s")
	direction, position, found := strings.Cut(text, "/")
	p, err := logstore.ParsePosition(position)
	if !ok || !found || err != nil || (direction != "f" && direction != "b") {
		return cursor{}, invalid("The specified nextToken is invalid.")
	}
	return cursor{backward: direction == "b", position: p}, nil
}

// GetLogEvents reads one stream, forwards or backwards; the events of an answer
// are always oldest first. It has both tokens even at an end, where they are
// the ones that led there.
func (s *Service) GetLogEvents(c *awswire.Call, in *api.GetLogEventsRequest) (*api.GetLogEventsResponse, error) {
	name, err := nameOrIdentifier(c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	q := logstore.Query{
		Streams:  []string{*in.LogStreamName},
		Start:    or(in.StartTime, 0),
		End:      or(in.EndTime, 0),
		Backward: !or(in.StartFromHead, false),
	}
	if in.NextToken != nil {
		t, err := parseCursor(*in.NextToken)
		if err != nil {
			return nil, err
		}
		q.Backward, q.After = t.backward, t.position
	}
	g, doc, err := s.events(c, name)
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
	q.Start = max(q.Start, retentionStart(s.now(), doc.RetentionInDays))
	records, err := readPage(g, q, int(or(in.Limit, maxEvents)))
	if err != nil {
		return nil, logError(err)
	}
	forward, backward := cursors(q, records)
	out := &api.GetLogEventsResponse{Events: []api.OutputLogEvent{}, NextForwardToken: &forward, NextBackwardToken: &backward}
	for _, r := range records {
		out.Events = append(out.Events, api.OutputLogEvent{Timestamp: &r.Timestamp, Message: &r.Message, IngestionTime: &r.Ingested})
	}
	return out, nil
}

// readPage reads as much as one answer holds and returns it oldest first.
func readPage(g *logstore.Group, q logstore.Query, limit int) ([]logstore.Record, error) {
	var records []logstore.Record
	size := 0
	for r, err := range g.Events(q) {
		if err != nil {
			return nil, err
		}
		size += len(r.Message) + logstore.EventOverheadBytes
		if size > maxEventBytes && len(records) > 0 {
			break
		}
		records = append(records, r)
		if len(records) == limit {
			break
		}
	}
	if q.Backward {
		slices.Reverse(records)
	}
	return records, nil
}

// cursors are the tokens that continue from a page at either end.
func cursors(q logstore.Query, records []logstore.Record) (forward, backward string) {
	if n := len(records); n > 0 {
		return cursor{position: records[n-1].Position()}.String(), cursor{backward: true, position: records[0].Position()}.String()
	}
	at := q.After
	if !at.Valid {
		// Nothing to see yet: the forward token will see whatever comes.
		return cursor{position: at}.String(), cursor{backward: true, position: at}.String()
	}
	// The token leaves out the event it names, which is seen when turning round.
	same, turned := cursor{backward: q.Backward, position: at}, cursor{backward: !q.Backward, position: at}
	switch {
	case !q.Backward:
		turned.position.Seq++
	case at.Seq > 0:
		turned.position.Seq--
	default:
		turned.position.Timestamp, turned.position.Seq = at.Timestamp-1, math.MaxUint64
	}
	if q.Backward {
		return turned.String(), same.String()
	}
	return same.String(), turned.String()
}

// FilterLogEvents searches a group's streams in time order.
func (s *Service) FilterLogEvents(c *awswire.Call, in *api.FilterLogEventsRequest) (*api.FilterLogEventsResponse, error) {
	name, err := nameOrIdentifier(c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.LogStreamNames != nil && in.LogStreamNamePrefix != nil {
		return nil, invalid("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.") // UNVERIFIED wording
	}
	pattern, err := ParsePattern(or(in.FilterPattern, ""))
	if err != nil {
		return nil, invalid("Invalid filter pattern")
	}
	g, doc, err := s.events(c, name)
	if err != nil {
		return nil, err
	}
	q := logstore.Query{
		Start:    max(or(in.StartTime, 0), retentionStart(s.now(), doc.RetentionInDays)),
		Backward: !or(in.StartFromHead, true),
	}
	if in.EndTime != nil {
		q.End = *in.EndTime + 1 // here the end is part of the range
	}
	if q.Streams, err = s.searched(g, in); err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		t, err := parseCursor(*in.NextToken)
		if err != nil || t.backward != q.Backward {
			return nil, invalid("The specified nextToken is invalid.")
		}
		q.After = t.position
	}
	return filter(g, q, pattern, int(or(in.Limit, maxEvents)))
}

// searched returns the streams a search is limited to, nil if it isn't.
func (s *Service) searched(g *logstore.Group, in *api.FilterLogEventsRequest) ([]string, error) {
	if in.LogStreamNames == nil && in.LogStreamNamePrefix == nil {
		return nil, nil
	}
	streams, err := g.Streams()
	if err != nil {
		return nil, logError(err)
	}
	names := []string{}
	for _, st := range streams {
		if in.LogStreamNames == nil && strings.HasPrefix(st.Name, *in.LogStreamNamePrefix) || slices.Contains(in.LogStreamNames, st.Name) {
			names = append(names, st.Name)
		}
	}
	for _, name := range in.LogStreamNames {
		if !slices.Contains(names, name) {
			return nil, noStream()
		}
	}
	return names, nil
}

func filter(g *logstore.Group, q logstore.Query, pattern *Pattern, limit int) (*api.FilterLogEventsResponse, error) {
	out := &api.FilterLogEventsResponse{Events: []api.FilteredLogEvent{}, SearchedLogStreams: []api.SearchedLogStream{}}
	size, searched := 0, 0
	var last logstore.Position
	more := func() { out.NextToken = new(cursor{backward: q.Backward, position: last}.String()) }
	for r, err := range g.Events(q) {
		if err != nil {
			return nil, logError(err)
		}
		if searched++; searched > maxSearched {
			more()
			break
		}
		if pattern.Match(r.Message) {
			size += len(r.Message) + logstore.EventOverheadBytes
			if len(out.Events) == limit || (size > maxEventBytes && len(out.Events) > 0) {
				more()
				break
			}
			out.Events = append(out.Events, api.FilteredLogEvent{
				LogStreamName: &r.Stream, Timestamp: &r.Timestamp, Message: &r.Message, IngestionTime: &r.Ingested,
				EventId: new(r.Position().String()),
			})
		}
		last = r.Position()
	}
	return out, nil
}
