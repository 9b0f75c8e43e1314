# What R makes of two cohorts with foretold risks: writes validate.json.
# R 4.2.2; riskRegression 2022.11.28, pec 2022.05.04, prodlim 2019.11.13, survival 3.5-3, geepack 1.3.9, jsonlite.
#   Rscript validate.R      (in this folder)
suppressMessages({
  library(survival); library(prodlim); library(riskRegression); library(pec); library(geepack); library(jsonlite)
})

MONTH <- 30.4375
THRESHOLDS <- c(.05, .1, .15, .2, .25, .3, .4, .5)

# Incidence of the event by a day, with its standard error (infinitesimal jackknife).
incidence <- function(d, day) {
  found <- summary(survfit(Surv(time, factor(status, 0:2)) ~ 1, data = d), times = day, extend = TRUE)
  list(aj = found$pstate[2], se = found$std.err[2])
}

accuracy <- function(d, day) {
  s <- Score(list(m = matrix(d$risk, ncol = 1)), formula = Hist(time, status) ~ 1, data = d, times = day, cause = 1,
             cens.model = "km", conf.int = TRUE, metrics = c("auc", "brier"), summary = "ipa", null.model = TRUE)
  a <- as.data.frame(s$AUC$score)
  b <- as.data.frame(s$Brier$score)
  own <- b$model == "m"
  list(auc = list(estimate = a$AUC, se = a$se, lower = a$lower, upper = a$upper),
       brier = list(null = b$Brier[!own], model = b$Brier[own], se = b$se[own], ipa = b$IPA[own]))
}

concordances <- function(d, day) {
  one <- function(weight) {
    found <- concordance(Surv(time, status == 1) ~ risk, data = d, reverse = TRUE, timewt = weight, ymax = day)
    list(estimate = unname(found$concordance), se = unname(sqrt(found$var)))
  }
  wolbers <- pec::cindex(list(m = matrix(d$risk, ncol = 1)), formula = Hist(time, status) ~ 1, cause = 1, eval.times = day,
                         pred.times = day, data = d, verbose = FALSE)$AppCindex$m
  list(wolbers_c = wolbers, harrell_c_cause_specific = one("n"), uno_c_cause_specific = one("n/G2"))
}

calibration <- function(d, day) {
  d$pseudo <- as.numeric(jackknife(prodlim(Hist(time, status) ~ 1, data = d), times = day, cause = 1))
  d$foretold <- log(-log(1 - d$risk))
  d$id <- seq_len(nrow(d))
  fit <- function(formula) geese(formula, data = d, id = id, scale.fix = TRUE, family = gaussian, mean.link = "cloglog",
                                 corstr = "independence", jack = TRUE)
  intercept <- fit(pseudo ~ offset(foretold))
  slope <- fit(pseudo ~ offset(foretold) + foretold)
  list(pseudo_mean = mean(d$pseudo), pseudo_first10 = d$pseudo[1:10],
       calibration_intercept = list(estimate = unname(intercept$beta), se = sqrt(intercept$vbeta[1, 1])),
       calibration_slope = list(estimate = 1 + unname(slope$beta[2]), se = sqrt(slope$vbeta[2, 2])))
}

decision <- function(d, day) {
  benefit <- function(share, hit, p) share * hit - share * (1 - hit) * p / (1 - p)
  model <- sapply(THRESHOLDS, function(p) {
    above <- d$risk > p
    if (!any(above)) 0 else benefit(mean(above), incidence(d[above, ], day)$aj, p)
  })
  list(decision = list(threshold = THRESHOLDS, model = model, all = benefit(1, incidence(d, day)$aj, THRESHOLDS)))
}

everything <- function(time, status, risk, day) {
  d <- data.frame(time = time, status = status, risk = risk)
  seen <- incidence(d, day)
  ratio <- seen$aj / mean(risk)
  half <- qnorm(.975) * seen$se / seen$aj
  c(list(n = nrow(d), horizon = day, events_by_horizon = sum(status == 1 & time <= day),
         competing_by_horizon = sum(status == 2 & time <= day), observed = seen, expected = mean(risk),
         oe = list(estimate = ratio, lower = ratio * exp(-half), upper = ratio * exp(half))),
    accuracy(d, day), concordances(d, day), calibration(d, day), decision(d, day))
}

found <- list()
tiers <- read.csv("tiers446.csv")
for (m in c(12, 24, 48))
  found[[paste0("tiers446_", m)]] <- everything(tiers$time, tiers$status, tiers[[paste0("risk", m)]], m * MONTH)
found$tiers446_48_by_tier <- lapply(split(tiers, tiers$tier), function(d)
  c(list(n = nrow(d), expected = d$risk48[1]), incidence(d, 48 * MONTH)))
marker <- 1 - exp(-exp(-1.8 + .7 * tiers$marker))
found$tiers446_marker_24 <- everything(tiers$time, tiers$status, marker, 24 * MONTH)
skin <- read.csv("melanoma_risk.csv")
for (day in c(1095, 1826)) found[[paste0("melanoma_", day)]] <- everything(skin$time, skin$status, skin$risk, day)
write_json(found, "validate.json", digits = NA, auto_unbox = TRUE, pretty = TRUE)
