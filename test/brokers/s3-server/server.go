//go:build tools

// Package server keeps the S3 server in go.mod; it is built by its import path.
package server

import _ "github.com/versity/versitygw/cmd/versitygw"
