// Package dyno keeps the wanted formation of every app running.
package dyno
