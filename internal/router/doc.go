// Package router takes HTTP requests to the web dynos of apps.
package router
