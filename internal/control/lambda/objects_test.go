package lambda_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/lambda"
	"gatehouse/internal/s3object"
)

// objects is S3 with one object for each key.
type objects map[string][]byte

func (o objects) Get(_ context.Context, bucket, key, version string, most int64) ([]byte, error) {
	switch name := strings.TrimSuffix(bucket+"/"+key+"@"+version, "@"); {
	case bucket == "denied":
		return nil, &s3object.Refusal{Status: http.StatusForbidden}
	case bucket == "gone":
		return nil, &s3object.Refusal{Status: http.StatusNotFound, Code: "NoSuchBucket"}
	case bucket == "down":
		return nil, errors.New("no route to host")
	case o[name] == nil:
		return nil, &s3object.Refusal{Status: http.StatusNotFound, Code: "NoSuchKey"}
	case int64(len(o[name])) > most:
		return nil, s3object.ErrTooLong
	default:
		return o[name], nil
	}
}

// Code comes from S3 for functions, new code and layers, and the caller has to be
// allowed to read it.
func TestCodeFromS3(t *testing.T) {
	first, second := zipped("index.js", "exports.handler = 1"), zipped("index.js", "exports.handler = 2")
	f := open(t, t.TempDir(), nil, func(o *lambda.Options) {
		o.Objects = objects{"bucket/code.zip": first, "bucket/code.zip@v2": second, "bucket/text": []byte("this is no zip")}
	})
	var asked []string
	f.Guard = func(action, resource string) error {
		asked = append(asked, action+" "+resource)
		return nil
	}
	in := request("f", "")
	in.Code = &api.FunctionCode{S3Bucket: new("bucket"), S3Key: new("code.zip")}
	made, err := f.CreateFunction(f.Call, in)
	ok(t, err)
	direct := request("g", "")
	direct.Code = &api.FunctionCode{ZipFile: first}
	same, err := f.CreateFunction(f.Call, direct)
	ok(t, err)
	if *made.CodeSha256 != *same.CodeSha256 {
		t.Error("the code isn't the object's")
	}
	changed, err := f.UpdateFunctionCode(f.Call, &api.UpdateFunctionCodeRequest{
		FunctionName: new("f"), S3Bucket: new("bucket"), S3Key: new("code.zip"), S3ObjectVersion: new("v2"),
	})
	ok(t, err)
	if *changed.CodeSha256 == *made.CodeSha256 {
		t.Error("the version of the object isn't asked for")
	}
	_, err = f.PublishLayerVersion(f.Call, &api.PublishLayerVersionRequest{
		LayerName: new("l"), Content: &api.LayerVersionContentInput{S3Bucket: new("bucket"), S3Key: new("code.zip")},
	})
	ok(t, err)
	if got := strings.Join(asked, ", "); got != "s3:GetObject arn:aws:s3:::bucket/code.zip, s3:GetObjectVersion arn:aws:s3:::bucket/code.zip, s3:GetObject arn:aws:s3:::bucket/code.zip" {
		t.Errorf("asked for %s", got)
	}

	const getObject = "Error occurred while GetObject. S3 Error Code: "
	for _, test := range []struct{ bucket, key, code, message string }{
		{"bucket", "other", "InvalidParameterValueException", getObject + "NoSuchKey. S3 Error Message: The specified key does not exist."},
		{"gone", "code.zip", "InvalidParameterValueException", getObject + "NoSuchBucket. S3 Error Message: The specified bucket does not exist"},
		{"denied", "code.zip", "AccessDeniedException", "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for denied/code.zip. " +
			"S3 Error Code: AccessDenied. S3 Error Message: Access Denied"},
		{"down", "code.zip", "InvalidParameterValueException", getObject + "ServiceUnavailable. S3 Error Message: S3 can't be reached; the gateway's log says why."},
		{"bucket", "text", "InvalidParameterValueException", "Could not unzip uploaded file. Please check your file, then try to upload again."},
	} {
		in := request("bad", "")
		in.Code = &api.FunctionCode{S3Bucket: &test.bucket, S3Key: &test.key}
		_, err := f.CreateFunction(f.Call, in)
		var refused *awswire.Error
		if !errors.As(err, &refused) || refused.Code != test.code || refused.Message != test.message {
			t.Errorf("%s/%s: %v", test.bucket, test.key, err)
		}
	}
	f.Guard = func(string, string) error { return errors.New("not you") }
	if _, err := f.CreateFunction(f.Call, in); err == nil || err.Error() != "not you" {
		t.Errorf("who may not read the object makes a function of it: %v", err)
	}
}
