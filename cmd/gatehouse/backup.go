package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/internal/store/sqlite"
)

func newBackup() *cobra.Command {
	data := defaultDataDir()
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy a gateway's state to a tar file, running or not",
		Long: `Copy everything a gateway keeps to FILE, a tar archive: definitions as of one
moment, function code, log events, and the key that secrets are sealed with.
The gateway may be running. Keep the file as you would keep a private key.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := backup(cmd.Context(), data, args[0])
			if err != nil {
				return fmt.Errorf("backup: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files of %s\n", args[0], n, data)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "data `directory` of the gateway")
	return cmd
}

func newRestore() *cobra.Command {
	data := defaultDataDir()
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup into an empty data directory",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := restore(args[0], data)
			if err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files of %s\n", data, n, args[0])
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", data, "data `directory` to fill")
	return cmd
}

// backup writes the archive under a temporary name and gives it its own when it
// is complete and on disk. It returns the number of files in it.
func backup(ctx context.Context, data, file string) (n int, err error) {
	if _, err := os.Stat(filepath.Join(data, sqlite.FileName)); err != nil {
		return 0, fmt.Errorf("%s is no data directory of a gateway: %w", data, err)
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s exists already", file)
	}
	work, err := os.MkdirTemp(filepath.Dir(file), ".gatehouse-backup-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	// The database goes first. Code is named by its content and synced before the
	// row that names it, so what is copied later holds all that the rows need.
	database := filepath.Join(work, sqlite.FileName)
	if err := sqlite.Backup(ctx, data, database); err != nil {
		return 0, err
	}
	out, err := os.OpenFile(filepath.Join(work, "archive"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer out.Close() //nolint:errcheck // closed below when all went well
	w := tar.NewWriter(out)
	if err := addFile(w, sqlite.FileName, database); err != nil {
		return 0, err
	}
	n = 1
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		if d.IsDir() && leftOut(name) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() || leftOut(name) {
			return nil
		}
		switch err := addFile(w, name, path); {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		n++
		return ctx.Err()
	})
	if err != nil {
		return 0, err
	}
	if err := errors.Join(w.Close(), out.Sync(), out.Close()); err != nil {
		return 0, err
	}
	return n, os.Rename(out.Name(), file)
}

// leftOut tells whether a file or directory of the data directory doesn't
// belong into a backup: the database, which is copied as of one moment, and what
// the next start makes again. Keys of session tickets are to be forgotten after two
// days, and a backup forgets nothing.
func leftOut(name string) bool {
	switch name {
	case filepath.Join(codeDir, "unpacked"), filepath.Join(codeDir, "tmp"), runtimeDir, "gatehouse.lock", filepath.FromSlash(ticketsFile):
		return true
	}
	base := filepath.Base(name)
	return strings.HasPrefix(base, sqlite.FileName) || strings.HasPrefix(base, ".") && base != "."
}

// addFile writes one file. A file that grows meanwhile is copied up to the size
// it had.
func addFile(w *tar.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: filepath.ToSlash(name), Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime()}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(w, io.LimitReader(f, info.Size()))
	return err
}

// restore fills a data directory that is empty or doesn't exist.
func restore(file, data string) (n int, err error) {
	in, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer in.Close() //nolint:errcheck // only read
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		return 0, fmt.Errorf("%s is not empty", data)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(data)), 0o700); err != nil {
		return 0, err
	}
	// Filled beside its place and renamed: a half-filled directory never looks whole.
	work, err := os.MkdirTemp(filepath.Dir(filepath.Clean(data)), ".gatehouse-restore-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(work))
		}
	}()
	root, err := os.OpenRoot(work)
	if err != nil {
		return 0, err
	}
	defer root.Close() //nolint:errcheck // nothing to do about it
	found := false
	for r := tar.NewReader(in); ; n++ {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("%s is not a backup: %w", file, err)
		}
		if err := extract(root, header, r); err != nil {
			return 0, err
		}
		found = found || header.Name == sqlite.FileName
	}
	if !found {
		return 0, fmt.Errorf("%s is not a backup of a gateway: it has no %s", file, sqlite.FileName)
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	return n, os.Rename(work, data)
}

// extract writes one file below root, which no name leads out of.
func extract(root *os.Root, header *tar.Header, r io.Reader) (err error) {
	if header.Typeflag != tar.TypeReg {
		return fmt.Errorf("%s is not a regular file", header.Name)
	}
	name := filepath.FromSlash(header.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(header.Mode).Perm())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Sync()
}
