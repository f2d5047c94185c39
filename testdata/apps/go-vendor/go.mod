module example.com/go-vendor

// +heroku goVersion go1.26.8
go 1.24

require example.com/greeting v0.0.0

replace example.com/greeting => ./greeting
