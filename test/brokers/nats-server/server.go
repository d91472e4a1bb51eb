//go:build tools

// Package server keeps the NATS server in go.mod; it is built by its import path.
package server

import _ "github.com/nats-io/nats-server/v2"
