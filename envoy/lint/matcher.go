package lint

// matcherTables are of what compares texts. A custom matcher is a program.
func matcherTables() map[string]table {
	return map[string]table{
		"envoy.type.matcher.v3.StringMatcher": {
			free: "exact prefix suffix safe_regex contains ignore_case",
			judged: []judgement{
				{"custom", refuse(ruleExtension, whyExtension)},
			},
		},
		"envoy.type.matcher.v3.ListStringMatcher": {walk: "patterns"},
		"envoy.config.route.v3.HeaderMatcher": {
			free: "name exact_match safe_regex_match range_match present_match prefix_match suffix_match contains_match invert_match " +
				"treat_missing_header_as_empty",
			walk: "string_match",
		},
		"envoy.config.route.v3.QueryParameterMatcher": {
			free: "name present_match",
			walk: "string_match",
		},
		"envoy.config.route.v3.CookieMatcher": {
			free: "name invert_match",
			walk: "string_match",
		},
	}
}

// statsTables are of which counters there are. Counters hold numbers.
func statsTables() map[string]table {
	return map[string]table{
		"envoy.config.metrics.v3.StatsConfig": {
			free: "stats_tags use_all_default_tags allow_default_tag_overrides",
			walk: "stats_matcher histogram_bucket_settings",
		},
		"envoy.config.metrics.v3.StatsMatcher": {
			free: "reject_all",
			walk: "exclusion_list inclusion_list",
		},
		"envoy.config.metrics.v3.HistogramBucketSettings": {
			free: "buckets bins",
			walk: "match",
		},
	}
}
