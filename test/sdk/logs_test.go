package sdk

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"gatehouse/test/harness"
)

// readLogGroup is a refresh of aws_cloudwatch_log_group; nil is gone.
func readLogGroup(t *testing.T, client *cloudwatchlogs.Client, name string) (*types.LogGroup, map[string]string) {
	t.Helper()
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(client, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &name})
	for pages.HasMorePages() {
		for _, g := range must(pages.NextPage(t.Context()))(t).LogGroups {
			if *g.LogGroupName != name {
				continue
			}
			tags := must(client.ListTagsLogGroup(t.Context(), &cloudwatchlogs.ListTagsLogGroupInput{LogGroupName: &name}))(t).Tags //nolint:SA1019 // what the provider calls
			return &g, tags
		}
	}
	return nil, nil
}

func TestLogGroup(t *testing.T) {
	client := cloudwatchlogs.NewFromConfig(harness.Start(t, "").Config())
	ctx := t.Context()
	name := new("/aws/lambda/hello")
	for _, other := range []string{"/aws/lambda/hello-2", "/aws/lambda/hell"} {
		must(client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &other}))(t)
	}
	must(client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{
		LogGroupName: name, LogGroupClass: types.LogGroupClassStandard, Tags: map[string]string{"a": "1"},
	}))(t)
	got, tags := readLogGroup(t, client, *name)
	want := types.LogGroup{
		Arn: new("arn:aws:logs:" + region + ":" + account + ":log-group:/aws/lambda/hello:*"), LogGroupArn: new("arn:aws:logs:" + region + ":" + account + ":log-group:/aws/lambda/hello"),
		LogGroupName: name, LogGroupClass: types.LogGroupClassStandard, MetricFilterCount: new(int32(0)), StoredBytes: new(int64(0)),
		CreationTime: present(t, "CreationTime", got.CreationTime), DeletionProtectionEnabled: got.DeletionProtectionEnabled,
	}
	same(t, "log group after create", got, want)
	same(t, "tags", tags, map[string]string{"a": "1"})
	_, err := client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name})
	fails(t, err, "ResourceAlreadyExistsException")

	must(client.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: new(int32(14))}))(t)
	must(client.UntagLogGroup(ctx, &cloudwatchlogs.UntagLogGroupInput{LogGroupName: name, Tags: []string{"a"}}))(t)          //nolint:SA1019 // what the provider calls
	must(client.TagLogGroup(ctx, &cloudwatchlogs.TagLogGroupInput{LogGroupName: name, Tags: map[string]string{"b": ""}}))(t) //nolint:SA1019 // what the provider calls
	got, tags = readLogGroup(t, client, *name)
	want.RetentionInDays = new(int32(14))
	same(t, "log group after update", got, want)
	same(t, "tags after update", tags, map[string]string{"b": ""})

	// The provider's later releases ask by ARN.
	byARN := must(client.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: want.LogGroupArn}))(t).Tags
	same(t, "tags by ARN", byARN, map[string]string{"b": ""})

	must(client.DeleteRetentionPolicy(ctx, &cloudwatchlogs.DeleteRetentionPolicyInput{LogGroupName: name}))(t)
	got, _ = readLogGroup(t, client, *name)
	want.RetentionInDays = nil
	same(t, "log group without retention", got, want)

	must(client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name}))(t)
	if got, _ := readLogGroup(t, client, *name); got != nil {
		t.Errorf("deleted group %+v", got)
	}
	_, err = client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name})
	fails(t, err, "ResourceNotFoundException")
}
