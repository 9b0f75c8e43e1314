# Times by which a share has had the event, with limits: quantile(survfit) of colon.csv by arm, every kind of interval.
#   Rscript quantiles.R > quantiles.json
suppressMessages(library(survival))
d <- read.csv("colon.csv", na.strings = "")
for (n in c("sbrt_date", "progression_date", "death_date", "last_followup_date")) d[[n]] <- as.Date(d[[n]])
end <- pmin(d$progression_date, d$death_date, d$last_followup_date, na.rm = TRUE)
d$time <- as.numeric(end - d$sbrt_date)
d$event <- !is.na(d$progression_date) & d$progression_date <= end
shares <- c(0.1, 0.25, 0.4, 0.5)
row <- function(x) paste0("[", paste(ifelse(is.na(x), "null", x), collapse = ", "), "]")
out <- unlist(lapply(sort(unique(d$arm)), function(a) lapply(c("log-log", "log", "plain", "arcsin"), function(k) {
  q <- quantile(survfit(Surv(time, event) ~ 1, d[d$arm == a, ], conf.type = k), shares)
  sprintf('{"arm": "%s", "ci_type": "%s", "shares": %s, "estimate": %s, "ci_low": %s, "ci_high": %s}',
    a, sub("arcsin", "arcsine", k), row(shares), row(q$quantile), row(q$lower), row(q$upper))
})))
cat("[", paste(out, collapse = ",\n"), "]\n")
