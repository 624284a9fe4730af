package logs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	api "gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/logs"
	"gatehouse/internal/logstore"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

const account = "123456789012"

var scope = store.Scope{Account: account, Region: "eu-west-1"}

type fixture struct {
	*logs.Service
	*cwl.Client
	store *store.Store
	logs  *logstore.Store
	now   *atomic.Int64 // milliseconds
}

func (f *fixture) clock() time.Time { return time.UnixMilli(f.now.Load()) }

// newFixture is the service on real stores behind HTTP, with AWS's own client.
func newFixture(t *testing.T, dir string) *fixture {
	t.Helper()
	f := &fixture{now: new(atomic.Int64)}
	f.now.Store(time.Now().UnixMilli())
	db, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.store, err = store.Open(t.Context(), db, store.Options{}); err != nil {
		t.Fatal(err)
	}
	if f.logs, err = logstore.Open(filepath.Join(dir, "logs"), logstore.Options{Now: f.clock}); err != nil {
		t.Fatal(err)
	}
	f.Service = logs.New(logs.Options{Store: f.store, Logs: f.logs, Now: f.clock})
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(f.Service)},
		Auth:     awswire.Auth{Credentials: nobody{}, Open: true},
		Account:  account, Region: scope.Region,
	}))
	f.Client = cwl.New(cwl.Options{
		Region: scope.Region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	t.Cleanup(func() { server.Close(); f.close(t) })
	return f
}

func (f *fixture) close(t *testing.T) {
	t.Helper()
	f.Service.Close()
	if err := errors.Join(f.logs.Close(), f.store.Close()); err != nil {
		t.Error(err)
	}
}

// refused checks AWS's code and words.
func refused(t *testing.T, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), message) {
		t.Errorf("error %v, want %s: %s", err, code, message)
	}
}

// ok fails on an error and hands the answer on.
func ok[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (f *fixture) create(t *testing.T, group string, streams ...string) {
	t.Helper()
	ok[*cwl.CreateLogGroupOutput](t)(f.Client.CreateLogGroup(t.Context(), &cwl.CreateLogGroupInput{LogGroupName: &group}))
	for _, s := range streams {
		ok[*cwl.CreateLogStreamOutput](t)(f.Client.CreateLogStream(t.Context(), &cwl.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &s}))
	}
}

func (f *fixture) put(t *testing.T, group, stream string, messages ...string) {
	t.Helper()
	var events []types.InputLogEvent
	for _, m := range messages {
		events = append(events, types.InputLogEvent{Timestamp: aws.Int64(f.now.Add(1)), Message: &m})
	}
	out, err := f.Client.PutLogEvents(t.Context(), &cwl.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: events})
	if err != nil || out.RejectedLogEventsInfo != nil || out.NextSequenceToken == nil {
		t.Fatalf("PutLogEvents = %+v, %v", out, err)
	}
}

func (f *fixture) groups(t *testing.T, in *cwl.DescribeLogGroupsInput) (names []string) {
	t.Helper()
	pages := cwl.NewDescribeLogGroupsPaginator(f.Client, in)
	for pages.HasMorePages() {
		for _, g := range ok[*cwl.DescribeLogGroupsOutput](t)(pages.NextPage(t.Context())).LogGroups {
			names = append(names, *g.LogGroupName)
		}
	}
	return names
}

func (f *fixture) filter(t *testing.T, in *cwl.FilterLogEventsInput) (got []string) {
	t.Helper()
	pages := cwl.NewFilterLogEventsPaginator(f.Client, in)
	for pages.HasMorePages() {
		out := ok[*cwl.FilterLogEventsOutput](t)(pages.NextPage(t.Context()))
		for _, e := range out.Events {
			if len(*e.EventId) != 56 || *e.IngestionTime == 0 {
				t.Errorf("event %+v", e)
			}
			got = append(got, *e.LogStreamName+" "+*e.Message)
		}
	}
	return got
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// TestTerraformLogGroup replays what Terraform's aws_cloudwatch_log_group calls.
func TestTerraformLogGroup(t *testing.T) {
	f, ctx := newFixture(t, t.TempDir()), t.Context()
	name := "/aws/lambda/hello"
	ok[*cwl.CreateLogGroupOutput](t)(f.Client.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{
		LogGroupName: &name, LogGroupClass: types.LogGroupClassStandard, Tags: map[string]string{"env": "test"}}))
	ok[*cwl.PutRetentionPolicyOutput](t)(f.Client.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: aws.Int32(14)}))
	read := func() types.LogGroup {
		t.Helper()
		out := ok[*cwl.DescribeLogGroupsOutput](t)(f.Client.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: &name}))
		if len(out.LogGroups) != 1 || out.NextToken != nil {
			t.Fatalf("DescribeLogGroups = %+v", out)
		}
		return out.LogGroups[0]
	}
	g := read()
	arn := "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/hello"
	if *g.Arn != arn+":*" || *g.LogGroupArn != arn || *g.RetentionInDays != 14 || g.LogGroupClass != types.LogGroupClassStandard ||
		*g.CreationTime != f.now.Load() || *g.StoredBytes != 0 || *g.MetricFilterCount != 0 || g.KmsKeyId != nil {
		t.Errorf("group = %+v", g)
	}
	tags := func() string {
		t.Helper()
		byName := ok[*cwl.ListTagsLogGroupOutput](t)(f.Client.ListTagsLogGroup(ctx, &cwl.ListTagsLogGroupInput{LogGroupName: &name})) //nolint:SA1019 // deprecated, and what Terraform calls
		byARN := ok[*cwl.ListTagsForResourceOutput](t)(f.Client.ListTagsForResource(ctx, &cwl.ListTagsForResourceInput{ResourceArn: &arn}))
		if fmt.Sprint(byARN.Tags) != fmt.Sprint(byName.Tags) {
			t.Errorf("tags by ARN = %v, by name %v", byARN.Tags, byName.Tags)
		}
		return fmt.Sprint(byName.Tags)
	}
	if got := tags(); got != "map[env:test]" {
		t.Errorf("tags = %s", got)
	}
	ok[*cwl.TagResourceOutput](t)(f.Client.TagResource(ctx, &cwl.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"a": "1"}}))
	ok[*cwl.TagLogGroupOutput](t)(f.Client.TagLogGroup(ctx, &cwl.TagLogGroupInput{LogGroupName: &name, Tags: map[string]string{"b": "2", "env": "prod"}})) //nolint:SA1019 // see above
	ok[*cwl.UntagLogGroupOutput](t)(f.Client.UntagLogGroup(ctx, &cwl.UntagLogGroupInput{LogGroupName: &name, Tags: []string{"a", "none"}}))                //nolint:SA1019 // see above
	if got := tags(); got != "map[b:2 env:prod]" {
		t.Errorf("tags = %s", got)
	}
	ok[*cwl.UntagResourceOutput](t)(f.Client.UntagResource(ctx, &cwl.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"b", "env"}}))
	if got := tags(); got != "map[]" {
		t.Errorf("tags = %s", got)
	}
	ok[*cwl.DeleteRetentionPolicyOutput](t)(f.Client.DeleteRetentionPolicy(ctx, &cwl.DeleteRetentionPolicyInput{LogGroupName: &name}))
	if g := read(); g.RetentionInDays != nil {
		t.Errorf("retention = %d", *g.RetentionInDays)
	}
	ok[*cwl.DeleteLogGroupOutput](t)(f.Client.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: &name}))
	same(t, "after the delete", f.groups(t, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: &name}))
}

func TestRefusals(t *testing.T) {
	f, ctx := newFixture(t, t.TempDir()), t.Context()
	f.create(t, "g", "s")
	none, g, s := aws.String("none"), aws.String("g"), aws.String("s")
	event := func(at time.Duration, message string) types.InputLogEvent {
		return types.InputLogEvent{Timestamp: aws.Int64(f.clock().Add(at).UnixMilli()), Message: &message}
	}
	const notFound, badParameter = "ResourceNotFoundException", "InvalidParameterException"
	const noGroup, noStream = "The specified log group does not exist.", "The specified log stream does not exist."
	var err error
	_, err = f.Client.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: g})
	refused(t, err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = f.Client.CreateLogGroup(ctx, &cwl.CreateLogGroupInput{LogGroupName: aws.String("aws/mine")})
	refused(t, err, badParameter, "Log groups starting with AWS/ are reserved for AWS.")
	_, err = f.Client.CreateLogStream(ctx, &cwl.CreateLogStreamInput{LogGroupName: g, LogStreamName: s})
	refused(t, err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	_, err = f.Client.CreateLogStream(ctx, &cwl.CreateLogStreamInput{LogGroupName: none, LogStreamName: s})
	refused(t, err, notFound, noGroup)
	_, err = f.Client.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: none})
	refused(t, err, notFound, noGroup)
	_, err = f.Client.DeleteLogStream(ctx, &cwl.DeleteLogStreamInput{LogGroupName: g, LogStreamName: none})
	refused(t, err, notFound, noStream)
	_, err = f.Client.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: g, RetentionInDays: aws.Int32(2)})
	refused(t, err, badParameter, "Value '2' at 'retentionInDays'")
	_, err = f.Client.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: none, RetentionInDays: aws.Int32(1)})
	refused(t, err, notFound, noGroup)
	_, err = f.Client.ListTagsForResource(ctx, &cwl.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:logs:eu-west-1:123456789012:log-group:none")})
	refused(t, err, notFound, "")
	_, err = f.Client.ListTagsForResource(ctx, &cwl.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:s3:::bucket")})
	refused(t, err, badParameter, "")
	_, err = f.Client.TagResource(ctx, &cwl.TagResourceInput{ResourceArn: aws.String("arn:aws:logs:eu-west-1:123456789012:log-group:g"), Tags: map[string]string{"aws:x": "y"}})
	refused(t, err, badParameter, "")
	_, err = f.Client.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: g, LogGroupNamePattern: g})
	refused(t, err, badParameter, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	_, err = f.Client.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{NextToken: g})
	refused(t, err, badParameter, "nextToken")
	_, err = f.Client.DescribeLogGroups(ctx, &cwl.DescribeLogGroupsInput{Limit: aws.Int32(51)})
	refused(t, err, badParameter, "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50")
	_, err = f.Client.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{LogGroupName: g, LogGroupIdentifier: g})
	refused(t, err, "ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	_, err = f.Client.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{LogGroupName: none})
	refused(t, err, notFound, noGroup)
	_, err = f.Client.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{LogGroupName: g, LogStreamNamePrefix: s, OrderBy: types.OrderByLastEventTime})
	refused(t, err, badParameter, "Cannot order by LastEventTime with a logStreamNamePrefix.")
	_, err = f.Client.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: none, LogStreamName: s, LogEvents: []types.InputLogEvent{event(0, "x")}})
	refused(t, err, notFound, noGroup)
	_, err = f.Client.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: g, LogStreamName: none, LogEvents: []types.InputLogEvent{event(0, "x")}})
	refused(t, err, notFound, noStream)
	_, err = f.Client.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: g, LogStreamName: s, LogEvents: []types.InputLogEvent{event(2, "x"), event(-time.Second, "y")}})
	refused(t, err, badParameter, "Log events in a single PutLogEvents request must be in chronological order.")
	_, err = f.Client.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: g, LogStreamName: s, LogEvents: []types.InputLogEvent{event(-25*time.Hour, "x"), event(0, "y")}})
	refused(t, err, badParameter, "cannot span more than 24 hours")
	big := strings.Repeat("x", 600_000)
	_, err = f.Client.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: g, LogStreamName: s, LogEvents: []types.InputLogEvent{event(0, big), event(0, big)}})
	refused(t, err, badParameter, "Upload too large: 1200052 bytes exceeds limit of 1048576")
	_, err = f.Client.GetLogEvents(ctx, &cwl.GetLogEventsInput{LogGroupName: g, LogStreamName: none})
	refused(t, err, notFound, noStream)
	_, err = f.Client.GetLogEvents(ctx, &cwl.GetLogEventsInput{LogGroupName: g, LogStreamName: s, NextToken: aws.String("f/1/s")})
	refused(t, err, badParameter, "The specified nextToken is invalid.")
	_, err = f.Client.FilterLogEvents(ctx, &cwl.FilterLogEventsInput{LogGroupName: g, FilterPattern: aws.String("{ oops")})
	refused(t, err, badParameter, "Invalid filter pattern")
	_, err = f.Client.FilterLogEvents(ctx, &cwl.FilterLogEventsInput{LogGroupName: g, LogStreamNames: []string{"s", "none"}})
	refused(t, err, notFound, noStream)

	ok[*cwl.PutLogGroupDeletionProtectionOutput](t)(f.Client.PutLogGroupDeletionProtection(ctx, &cwl.PutLogGroupDeletionProtectionInput{LogGroupIdentifier: g, DeletionProtectionEnabled: aws.Bool(true)}))
	if _, err = f.Client.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: g}); err == nil {
		t.Error("a protected group was deleted")
	}
}

func TestDescribeGroups(t *testing.T) {
	f := newFixture(t, t.TempDir())
	var all []string
	for i := range 7 {
		all = append(all, fmt.Sprintf("/app/%d", i))
		f.create(t, all[i])
	}
	f.create(t, "/other")
	same(t, "all", f.groups(t, &cwl.DescribeLogGroupsInput{Limit: aws.Int32(3)}), append(slices.Clone(all), "/other")...)
	same(t, "by prefix", f.groups(t, &cwl.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/app"), Limit: aws.Int32(7)}), all...)
	same(t, "by pattern", f.groups(t, &cwl.DescribeLogGroupsInput{LogGroupNamePattern: aws.String("the")}), "/other")
	same(t, "by identifier", f.groups(t, &cwl.DescribeLogGroupsInput{
		LogGroupIdentifiers: []string{"/app/1", "arn:aws:logs:eu-west-1:123456789012:log-group:/other"}}), "/app/1", "/other")
	same(t, "of another class", f.groups(t, &cwl.DescribeLogGroupsInput{LogGroupClass: types.LogGroupClassInfrequentAccess}))
	out := ok[*cwl.ListLogGroupsOutput](t)(f.Client.ListLogGroups(t.Context(), &cwl.ListLogGroupsInput{LogGroupNamePattern: aws.String("^/oth|pp/3")}))
	if len(out.LogGroups) != 2 || *out.LogGroups[0].LogGroupName != "/app/3" || *out.LogGroups[1].LogGroupName != "/other" {
		t.Errorf("ListLogGroups = %+v", out.LogGroups)
	}
}

func TestDescribeStreams(t *testing.T) {
	f, ctx := newFixture(t, t.TempDir()), t.Context()
	f.create(t, "g", "a", "b1", "b2", "c")
	f.put(t, "g", "c", "first")
	f.put(t, "g", "a", "second")
	list := func(in cwl.DescribeLogStreamsInput) (names []string) {
		t.Helper()
		in.LogGroupName = aws.String("g")
		pages := cwl.NewDescribeLogStreamsPaginator(f.Client, &in)
		for pages.HasMorePages() {
			for _, s := range ok[*cwl.DescribeLogStreamsOutput](t)(pages.NextPage(ctx)).LogStreams {
				names = append(names, *s.LogStreamName)
			}
		}
		return names
	}
	for limit := range int32(5) {
		same(t, "by name", list(cwl.DescribeLogStreamsInput{Limit: aws.Int32(limit + 1)}), "a", "b1", "b2", "c")
		same(t, "by name, down", list(cwl.DescribeLogStreamsInput{Limit: aws.Int32(limit + 1), Descending: aws.Bool(true)}), "c", "b2", "b1", "a")
		same(t, "by time, down", list(cwl.DescribeLogStreamsInput{Limit: aws.Int32(limit + 1), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)}),
			"a", "c", "b2", "b1")
	}
	same(t, "by prefix", list(cwl.DescribeLogStreamsInput{LogStreamNamePrefix: aws.String("b")}), "b1", "b2")
	out := ok[*cwl.DescribeLogStreamsOutput](t)(f.Client.DescribeLogStreams(ctx, &cwl.DescribeLogStreamsInput{
		LogGroupIdentifier: aws.String("arn:aws:logs:eu-west-1:123456789012:log-group:g"), LogStreamNamePrefix: aws.String("a")}))
	s := out.LogStreams[0]
	if *s.Arn != "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:a" || *s.StoredBytes != 0 || //nolint:SA1019 // deprecated, and answered
		*s.FirstEventTimestamp != f.now.Load() || *s.LastEventTimestamp != f.now.Load() || s.UploadSequenceToken == nil {
		t.Errorf("stream = %+v", s)
	}
	ok[*cwl.DeleteLogStreamOutput](t)(f.Client.DeleteLogStream(ctx, &cwl.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("a")}))
	same(t, "after a delete", list(cwl.DescribeLogStreamsInput{}), "b1", "b2", "c")
}

func TestGetLogEvents(t *testing.T) {
	f, ctx := newFixture(t, t.TempDir()), t.Context()
	f.create(t, "g", "s", "other")
	get := func(in cwl.GetLogEventsInput) (*cwl.GetLogEventsOutput, []string) {
		t.Helper()
		in.LogGroupName, in.LogStreamName = aws.String("g"), aws.String("s")
		out := ok[*cwl.GetLogEventsOutput](t)(f.Client.GetLogEvents(ctx, &in))
		var got []string
		for _, e := range out.Events {
			got = append(got, *e.Message)
		}
		return out, got
	}
	// Waiting at an empty stream, then reading what comes.
	empty, got := get(cwl.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	same(t, "empty", got)
	f.put(t, "g", "other", "not this")
	f.put(t, "g", "s", "1", "2", "3", "4", "5")
	page, got := get(cwl.GetLogEventsInput{NextToken: empty.NextForwardToken, Limit: aws.Int32(2)})
	same(t, "first", got, "1", "2")
	page, got = get(cwl.GetLogEventsInput{NextToken: page.NextForwardToken, Limit: aws.Int32(2)})
	same(t, "second", got, "3", "4")
	_, got = get(cwl.GetLogEventsInput{NextToken: page.NextBackwardToken})
	same(t, "back", got, "1", "2")
	page, got = get(cwl.GetLogEventsInput{NextToken: page.NextForwardToken})
	same(t, "last", got, "5")
	end, got := get(cwl.GetLogEventsInput{NextToken: page.NextForwardToken})
	same(t, "end", got)
	if *end.NextForwardToken != *page.NextForwardToken {
		t.Errorf("the token at the end is another one: %s, %s", *end.NextForwardToken, *page.NextForwardToken)
	}
	_, got = get(cwl.GetLogEventsInput{NextToken: end.NextBackwardToken, Limit: aws.Int32(1)})
	same(t, "turning round", got, "5")
	f.put(t, "g", "s", "6")
	_, got = get(cwl.GetLogEventsInput{NextToken: end.NextForwardToken})
	same(t, "what came since", got, "6")
	page, got = get(cwl.GetLogEventsInput{Limit: aws.Int32(2)})
	same(t, "from the tail", got, "5", "6")
	_, got = get(cwl.GetLogEventsInput{NextToken: page.NextBackwardToken, Limit: aws.Int32(3)})
	same(t, "further back", got, "2", "3", "4")
	now := f.now.Load()
	_, got = get(cwl.GetLogEventsInput{StartTime: aws.Int64(now - 2), EndTime: aws.Int64(now)})
	same(t, "range", got, "4", "5")
}

func TestFilterLogEvents(t *testing.T) {
	f := newFixture(t, t.TempDir())
	f.create(t, "g", "a1", "a2", "b")
	f.put(t, "g", "a1", "START", "ERROR one")
	f.put(t, "g", "b", "ERROR two", `{"level":"error","n":3}`)
	f.put(t, "g", "a2", "END\n")
	f.put(t, "g", "a1", "ERROR three")
	now := f.now.Load()
	in := func(edit func(in *cwl.FilterLogEventsInput)) *cwl.FilterLogEventsInput {
		in := &cwl.FilterLogEventsInput{LogGroupName: aws.String("g"), Limit: aws.Int32(2)}
		edit(in)
		return in
	}
	same(t, "all", f.filter(t, in(func(*cwl.FilterLogEventsInput) {})),
		"a1 START", "a1 ERROR one", "b ERROR two", `b {"level":"error","n":3}`, "a2 END\n", "a1 ERROR three")
	same(t, "words", f.filter(t, in(func(in *cwl.FilterLogEventsInput) { in.FilterPattern = aws.String("ERROR -two") })),
		"a1 ERROR one", "a1 ERROR three")
	same(t, "json", f.filter(t, in(func(in *cwl.FilterLogEventsInput) { in.FilterPattern = aws.String("{ $.n > 2 }") })),
		`b {"level":"error","n":3}`)
	same(t, "streams", f.filter(t, in(func(in *cwl.FilterLogEventsInput) { in.LogStreamNames = []string{"a2", "b"} })),
		"b ERROR two", `b {"level":"error","n":3}`, "a2 END\n")
	same(t, "prefix", f.filter(t, in(func(in *cwl.FilterLogEventsInput) {
		in.LogStreamNamePrefix, in.FilterPattern = aws.String("a"), aws.String("?START ?END")
	})), "a1 START", "a2 END\n")
	same(t, "no such prefix", f.filter(t, in(func(in *cwl.FilterLogEventsInput) { in.LogStreamNamePrefix = aws.String("x") })))
	same(t, "range with its end", f.filter(t, in(func(in *cwl.FilterLogEventsInput) { in.StartTime, in.EndTime = aws.Int64(now-1), aws.Int64(now) })),
		"a2 END\n", "a1 ERROR three")
}

func TestRejectedEvents(t *testing.T) {
	f, ctx := newFixture(t, t.TempDir()), t.Context()
	f.create(t, "g", "s")
	put := func(ages ...time.Duration) string {
		t.Helper()
		var events []types.InputLogEvent
		for _, age := range ages {
			events = append(events, types.InputLogEvent{Timestamp: aws.Int64(f.clock().Add(-age).UnixMilli()), Message: aws.String(age.String())})
		}
		out := ok[*cwl.PutLogEventsOutput](t)(f.Client.PutLogEvents(ctx, &cwl.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: events}))
		r := out.RejectedLogEventsInfo
		if r == nil {
			return ""
		}
		return fmt.Sprint(aws.ToInt32(r.TooOldLogEventEndIndex), aws.ToInt32(r.ExpiredLogEventEndIndex), aws.ToInt32(r.TooNewLogEventStartIndex))
	}
	const day = 24 * time.Hour
	if got := put(14*day+2*time.Hour, 14*day+time.Hour, 14*day-time.Hour); got != "2 0 0" {
		t.Errorf("too old: %s", got)
	}
	if got := put(0, -3*time.Hour, -4*time.Hour); got != "0 0 1" {
		t.Errorf("too new: %s", got)
	}
	ok[*cwl.PutRetentionPolicyOutput](t)(f.Client.PutRetentionPolicy(ctx, &cwl.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(1)}))
	if got := put(25*time.Hour, 23*time.Hour); got != "0 1 0" {
		t.Errorf("expired: %s", got)
	}
	// Expired events aren't shown though they are still in a file.
	same(t, "what is kept", f.filter(t, &cwl.FilterLogEventsInput{LogGroupName: aws.String("g")}), "s 23h0m0s", "s 0s")
}

// waitFor polls what happens in the background.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
	}
}

func TestWriter(t *testing.T) {
	f, ctx := newFixture(t, t.TempDir()), t.Context()
	group := "/aws/lambda/hello"
	in := &cwl.FilterLogEventsInput{LogGroupName: &group}
	w := f.Writer(scope, group)
	if !w.Append("s", f.clock(), "one") {
		t.Error("the first event was not taken")
	}
	waitFor(t, "the group", func() bool { return len(f.groups(t, &cwl.DescribeLogGroupsInput{})) == 1 })
	same(t, "made on demand", f.filter(t, in), "s one")

	// Deleted, it isn't made again by what an old writer has left to say.
	ok[*cwl.DeleteLogGroupOutput](t)(f.Client.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: &group}))
	if w.Append("s", f.clock(), "last words") {
		t.Error("an event was taken after the delete")
	}
	same(t, "after the delete", f.groups(t, &cwl.DescribeLogGroupsInput{}))
	// Made again by somebody, it is written to, after a moment.
	f.create(t, group)
	f.now.Add(2000)
	if !w.Append("s", f.clock(), "two") {
		t.Error("the new group was not found")
	}
	same(t, "made again", f.filter(t, in), "s two")
	// A new writer makes it.
	ok[*cwl.DeleteLogGroupOutput](t)(f.Client.DeleteLogGroup(ctx, &cwl.DeleteLogGroupInput{LogGroupName: &group}))
	f.Writer(scope, group).Append("s", f.clock(), "three")
	waitFor(t, "the group", func() bool { return len(f.groups(t, &cwl.DescribeLogGroupsInput{})) == 1 })
	same(t, "by a new writer", f.filter(t, in), "s three")
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	f := newFixture(t, dir)
	f.create(t, "g", "s")
	f.put(t, "g", "s", "kept")
	f.Writer(scope, "w").Append("s", f.clock(), "kept too") // closing makes its group
	f.create(t, "gone", "s")
	f.put(t, "gone", "s", "x")
	// Killed between the halves of DeleteLogGroup.
	err := f.store.Update(t.Context(), func(tx *store.Tx) error {
		return store.Kind[struct{}]{Name: "logs/group"}.Delete(tx, scope, "gone")
	})
	if err != nil {
		t.Fatal(err)
	}
	f.close(t)

	f = newFixture(t, dir)
	same(t, "groups", f.groups(t, &cwl.DescribeLogGroupsInput{}), "g", "w")
	same(t, "events", f.filter(t, &cwl.FilterLogEventsInput{LogGroupName: aws.String("g")}), "s kept")
	same(t, "events", f.filter(t, &cwl.FilterLogEventsInput{LogGroupName: aws.String("w")}), "s kept too")
	waitFor(t, "the purge", func() bool {
		names, err := filepath.Glob(filepath.Join(dir, "logs", "*", "name"))
		return err == nil && len(names) == 2
	})
	f.create(t, "gone")
	same(t, "no events of the dead", f.filter(t, &cwl.FilterLogEventsInput{LogGroupName: aws.String("gone")}))
}

func TestRetentionDropsFiles(t *testing.T) {
	dir := t.TempDir()
	f := newFixture(t, dir)
	f.create(t, "g", "s")
	f.put(t, "g", "s", "old")
	ok[*cwl.PutRetentionPolicyOutput](t)(f.Client.PutRetentionPolicy(t.Context(), &cwl.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(1)}))
	f.now.Add((25 * time.Hour).Milliseconds())
	sweeper := logs.New(logs.Options{Store: f.store, Logs: f.logs, Now: f.clock})
	defer sweeper.Close()
	waitFor(t, "the sweep", func() bool {
		n, err := f.logs.Group(logstore.GroupID{Account: account, Region: scope.Region, Name: "g"}).Bytes()
		return n == 0 && err == nil
	})
}

// nobody has no access keys: every key is an unknown one.
type nobody struct{}

func (nobody) Lookup(context.Context, string) (*awswire.Credential, error) { return nil, nil }

// TestTailFollow does what the CLI's "logs tail --follow" does: search again
// and again from the newest event seen, and print those not seen before.
func TestTailFollow(t *testing.T) {
	f := newFixture(t, t.TempDir())
	f.create(t, "g", "a", "b")
	seen := map[string]bool{}
	start := f.now.Load() - 10
	var printed []string
	poll := func() {
		t.Helper()
		pages := cwl.NewFilterLogEventsPaginator(f.Client, &cwl.FilterLogEventsInput{
			LogGroupName: aws.String("g"), StartTime: &start, Limit: aws.Int32(1), Interleaved: aws.Bool(true), //nolint:SA1019 // as the CLI sends it
		})
		for pages.HasMorePages() {
			for _, e := range ok[*cwl.FilterLogEventsOutput](t)(pages.NextPage(t.Context())).Events {
				if !seen[*e.EventId] {
					seen[*e.EventId] = true
					printed = append(printed, *e.Message)
					start = max(start, *e.Timestamp)
				}
			}
		}
	}
	poll()
	f.put(t, "g", "a", "1", "2")
	poll()
	// In the millisecond of the newest event, and in another stream.
	if !f.Writer(scope, "g").Append("b", f.clock(), "3") {
		t.Fatal("not taken")
	}
	poll()
	f.put(t, "g", "a", "4")
	poll()
	poll()
	same(t, "printed", printed, "1", "2", "3", "4")
}
