// Package bundle runs one OCI bundle with runc.
package bundle
