// Package logs keeps the log of each app.
package logs
