package logs

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/logstore"
	"gatehouse/internal/paging"
)

// events returns the events of a group that is defined, with its definition.
func (s *Service) events(c *awswire.Call, name string) (*logstore.Group, *groupDoc, error) {
	doc, err := s.group(c, scopeOf(c), name)
	if err != nil {
		return nil, nil, err
	}
	return s.logs.Group(groupID(scopeOf(c), name)), doc, nil
}

// CreateLogStream makes an empty stream.
func (s *Service) CreateLogStream(c *awswire.Call, in *api.CreateLogStreamRequest) error {
	g, _, err := s.events(c, *in.LogGroupName)
	if err != nil {
		return err
	}
	err = g.CreateStream(*in.LogStreamName, s.now())
	if errors.Is(err, logstore.ErrStreamExists) {
		return api.NewResourceAlreadyExistsException("The specified log stream already exists")
	}
	return logError(err)
}

// DeleteLogStream removes a stream with its events.
func (s *Service) DeleteLogStream(c *awswire.Call, in *api.DeleteLogStreamRequest) error {
	g, _, err := s.events(c, *in.LogGroupName)
	if err != nil {
		return err
	}
	return logError(g.DeleteStream(*in.LogStreamName))
}

// DescribeLogStreams lists a group's streams by name or by their last event.
func (s *Service) DescribeLogStreams(c *awswire.Call, in *api.DescribeLogStreamsRequest) (*api.DescribeLogStreamsResponse, error) {
	byTime := or(in.OrderBy, api.OrderByLogStreamName) == api.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	name, err := nameOrIdentifier(c, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	g, _, err := s.events(c, name)
	if err != nil {
		return nil, err
	}
	streams, err := g.Streams()
	if err != nil {
		return nil, logError(err)
	}
	prefix := or(in.LogStreamNamePrefix, "")
	streams = slices.DeleteFunc(streams, func(st logstore.Stream) bool { return !strings.HasPrefix(st.Name, prefix) })
	order := func(a, b logstore.Stream) int { return strings.Compare(a.Name, b.Name) }
	if byTime {
		order = func(a, b logstore.Stream) int {
			return cmp.Or(cmp.Compare(a.LastEvent, b.LastEvent), strings.Compare(a.Name, b.Name))
		}
	}
	if or(in.Descending, false) {
		ascending := order
		order = func(a, b logstore.Stream) int { return ascending(b, a) }
	}
	slices.SortFunc(streams, order)
	page, next, err := pageOfStreams(streams, order, or(in.NextToken, ""), int(or(in.Limit, describeLimit)))
	if err != nil {
		return nil, err
	}
	out := &api.DescribeLogStreamsResponse{LogStreams: []api.LogStream{}, NextToken: next}
	for _, st := range page {
		out.LogStreams = append(out.LogStreams, describeStream(groupARN(scopeOf(c), name), st))
	}
	return out, nil
}

// pageOfStreams cuts a page out of sorted streams. The token holds the last
// stream's name and time, so that a stream that grew or went in between doesn't
// disturb the others.
func pageOfStreams(streams []logstore.Stream, order func(a, b logstore.Stream) int, token string, limit int) ([]logstore.Stream, *string, error) {
	after, err := paging.Decode(token)
	if err != nil || (token != "" && len(after) != 2) {
		return nil, nil, invalid("The specified nextToken is invalid.")
	}
	if token != "" {
		t, err := strconv.ParseInt(after[1], 10, 64)
		if err != nil {
			return nil, nil, invalid("The specified nextToken is invalid.")
		}
		last := logstore.Stream{Name: after[0], LastEvent: t}
		at, found := slices.BinarySearchFunc(streams, last, order)
		if found {
			at++
		}
		streams = streams[at:]
	}
	if len(streams) <= limit {
		return streams, nil, nil
	}
	last := streams[limit-1]
	return streams[:limit], new(paging.Encode(last.Name, strconv.FormatInt(last.LastEvent, 10))), nil
}

func describeStream(groupARN string, st logstore.Stream) api.LogStream {
	out := api.LogStream{
		LogStreamName: &st.Name,
		CreationTime:  &st.Created,
		Arn:           new(groupARN + ":log-stream:" + st.Name),
		StoredBytes:   new(int64(0)), // AWS no longer tells
	}
	if st.LastIngested != 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp, out.LastIngestionTime = &st.FirstEvent, &st.LastEvent, &st.LastIngested
		out.UploadSequenceToken = new(sequenceToken(st.LastIngested))
	}
	return out
}

// sequenceToken is what uploaders once had to send back. AWS ignores it today
// and still hands it out.
func sequenceToken(ingested int64) string {
	return logstore.Position{Timestamp: ingested}.String()
}
