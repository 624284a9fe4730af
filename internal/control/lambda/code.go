package lambda

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/codestore"
	"gatehouse/internal/s3object"
)

const (
	maxZippedBytes   = 52428800
	maxUnzippedBytes = 262144000
	// hotReloadBucket is the bucket that local tooling names for code that is to
	// run from a directory of the host.
	hotReloadBucket = "hot-reload"
)

// A codeSource is what a request says of code.
type codeSource struct {
	Zip                              []byte
	S3Bucket, S3Key, S3ObjectVersion *string
	ImageURI                         *string
	Layer                            bool
}

// takeCode stores the code of a request.
func (s *Service) takeCode(c *awswire.Call, in *codeSource) (codeRef, error) {
	switch {
	case in.ImageURI != nil:
		return codeRef{}, imagesUnsupported()
	case in.Zip != nil && (in.S3Bucket != nil || in.S3Key != nil):
		return codeRef{}, badParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case in.S3Bucket != nil && *in.S3Bucket == hotReloadBucket && !in.Layer:
		return s.hotReload(str(in.S3Key))
	case in.S3Bucket != nil || in.S3Key != nil:
		zip, err := s.readObject(c, in)
		if err != nil {
			return codeRef{}, err
		}
		return s.putZip(c, zip)
	case len(in.Zip) == 0:
		return codeRef{}, badParameter("Please provide a source for function code.")
	case len(in.Zip) > maxZippedBytes:
		return codeRef{}, zippedTooLarge()
	}
	return s.putZip(c, in.Zip)
}

// putZip stores code.
func (s *Service) putZip(c *awswire.Call, zip []byte) (codeRef, error) {
	stored, err := s.code.PutBytes(zip)
	if err != nil {
		return codeRef{}, s.zipError(err)
	}
	// Unpacked now, while nobody waits for the store's writer.
	if _, err := s.code.Unpacked(c, stored.Hash); err != nil {
		return codeRef{}, err
	}
	return codeRef{Digest: stored.Hash.String(), Size: stored.ArchiveBytes, UnzippedSize: stored.UnzippedBytes}, nil
}

// objectTime is how long reading code from S3 may take.
const objectTime = 2 * time.Minute

// readObject reads code from S3, with the gateway's keys: the caller has to be
// allowed to read it.
func (s *Service) readObject(c *awswire.Call, in *codeSource) ([]byte, error) {
	bucket, key, version := str(in.S3Bucket), str(in.S3Key), str(in.S3ObjectVersion)
	if bucket == "" || key == "" {
		return nil, badParameter("Please provide a source for function code.")
	}
	if s.opts.Objects == nil {
		return nil, objectError("NoSuchBucket", "gatehouse has no S3 to read code from: its --s3-endpoint names one, or send the zip itself as ZipFile.")
	}
	action := "s3:GetObject"
	if version != "" {
		action = "s3:GetObjectVersion"
	}
	if err := c.Require(action, arn.ARN{Partition: arn.Partition(c.Region), Service: "s3", Resource: bucket + "/" + key}.String()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c, objectTime)
	defer cancel()
	zip, err := s.opts.Objects.Get(ctx, bucket, key, version, maxUnzippedBytes)
	var refusal *s3object.Refusal
	switch {
	case errors.As(err, &refusal):
		return nil, refusedObject(refusal, bucket, key)
	case errors.Is(err, s3object.ErrTooLong):
		return nil, unzippedTooLarge()
	case err != nil:
		s.log.Warn("code couldn't be read from S3", "bucket", bucket, "key", key, "error", err)
		return nil, objectError("ServiceUnavailable", "S3 can't be reached; the gateway's log says why.")
	}
	return zip, nil
}

// refusedObject is what AWS makes of S3's answers.
func refusedObject(r *s3object.Refusal, bucket, key string) error {
	switch {
	case r.Code == "NoSuchKey":
		return objectError(r.Code, "The specified key does not exist.")
	case r.Code == "NoSuchBucket":
		return objectError(r.Code, "The specified bucket does not exist")
	case r.Status == http.StatusForbidden:
		return &awswire.Error{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: "Your access has been denied by S3, " +
			"please make sure your request credentials have permission to GetObject for " + bucket + "/" + key + ". S3 Error Code: AccessDenied. S3 Error Message: Access Denied"}
	}
	return objectError(cmp.Or(r.Code, strconv.Itoa(r.Status)), http.StatusText(r.Status))
}

func objectError(code, message string) error {
	return badParameter("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", code, message)
}

// zipError is AWS's answer to a zip that can't be used.
func (s *Service) zipError(err error) error {
	if errors.Is(err, codestore.ErrTooLarge) {
		return zippedTooLarge()
	}
	var bad *codestore.ArchiveError
	if !errors.As(err, &bad) {
		return err
	}
	switch bad.Reason {
	case codestore.TooLargeUnzipped:
		return unzippedTooLarge()
	case codestore.Empty:
		return badParameter("Uploaded file must be a non-empty zip")
	default:
		// AWS says no more than this; the log does.
		s.log.Info("a zip was refused", "error", bad)
		return badParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
}

func zippedTooLarge() error {
	return tooLarge("Zipped size must be smaller than %d bytes", maxZippedBytes)
}

func imagesUnsupported() error {
	return badParameter("gatehouse doesn't run container images yet; use PackageType Zip, with a provided.al2023 runtime for programs of your own.")
}

func unzippedTooLarge() error {
	return badParameter("Unzipped size must be smaller than %d bytes", maxUnzippedBytes)
}

// hotReload is code that runs from a directory its owner works in.
func (s *Service) hotReload(directory string) (codeRef, error) {
	if !s.opts.HotReload {
		return codeRef{}, badParameter("Code from S3Bucket %s runs from a directory of the gateway's host; that is possible only while management listens on loopback with --auth open.", hotReloadBucket)
	}
	if !filepath.IsAbs(directory) {
		return codeRef{}, badParameter("With S3Bucket %s, S3Key is the absolute path of a directory on the gateway's host, not %q.", hotReloadBucket, directory)
	}
	directory = filepath.Clean(directory)
	info, err := os.Stat(directory)
	if err != nil || !info.IsDir() {
		return codeRef{}, badParameter("There is no directory %s on the gateway's host to run the function from.", directory)
	}
	if s.opts.Private != "" && overlap(directory, s.opts.Private) {
		return codeRef{}, badParameter("The gateway keeps its own data in %s, so no function runs from %s.", s.opts.Private, directory)
	}
	return codeRef{Directory: directory}, nil
}

// overlap tells whether two directories are one, or one of them lies in the other,
// wherever links lead. What can't be told is taken for it.
func overlap(a, b string) bool {
	a, errA := filepath.EvalSymlinks(a)
	b, errB := filepath.EvalSymlinks(b)
	return errA != nil || errB != nil || within(a, b) || within(b, a)
}

// within tells whether a path is that of a directory or lies in it.
func within(path, directory string) bool {
	rest, err := filepath.Rel(directory, path)
	return err == nil && rest != ".." && !strings.HasPrefix(rest, ".."+string(filepath.Separator))
}

// setCode makes code that of a version.
func setCode(doc *versionDoc, code codeRef) {
	doc.Code = code
	doc.Configuration.CodeSha256 = new(codeSHA256(code))
	doc.Configuration.CodeSize = &code.Size
}

// codeSHA256 is the digest as AWS shows it. That of a directory is its path's:
// its contents change without anybody telling.
func codeSHA256(code codeRef) string {
	sum, err := hex.DecodeString(code.Digest)
	if code.Directory != "" || err != nil {
		h := sha256.Sum256([]byte(code.Directory))
		sum = h[:]
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// checkUnzippedSize bounds code and layers together.
func checkUnzippedSize(doc *versionDoc) error {
	size := doc.Code.UnzippedSize
	if size >= maxUnzippedBytes {
		return unzippedTooLarge()
	}
	for _, layer := range doc.LayerCode {
		size += layer.UnzippedSize
	}
	if size >= maxUnzippedBytes {
		return badParameter("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", maxUnzippedBytes, size)
	}
	return nil
}

// codeLocation is where a caller can download code for the next ten minutes.
func (s *Service) codeLocation(c *awswire.Call, code codeRef) *api.FunctionCodeLocation {
	out := &api.FunctionCodeLocation{RepositoryType: new("S3")}
	if code.Directory != "" {
		out.Location = new("file://" + filepath.ToSlash(code.Directory))
		return out
	}
	scheme := "http"
	if c.Secure {
		scheme = "https"
	}
	out.Location = new(scheme + "://" + c.Host + s.codePath(code.Digest, s.now().Add(defaultCodeURLExpires)))
	return out
}
