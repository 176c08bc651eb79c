"""Scrapy's settings for this project; a crawl lays its own over them."""

BOT_NAME = "fullshot"
SPIDER_MODULES = ["fullshot.crawler.spider"]
ADDONS = {"scrapy_poet.Addon": 300}
SCRAPY_POET_PROVIDERS = {"fullshot.crawler.injection.OptionsProvider": 500}
SCHEDULER = "fullshot.crawler.scheduler.FrontierScheduler"
EXTENSIONS = {"fullshot.crawler.heartbeat.Heartbeat": 0}
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "fullshot.crawler.middlewares.PrivateAddressGuard": 50,
    "fullshot.crawler.middlewares.RobotsMiddleware": 100,
    "scrapy_poet.InjectionMiddleware": None,
    "fullshot.crawler.injection.PageInjectionMiddleware": 543,
    "fullshot.crawler.middlewares.RetryLaterMiddleware": 550,
    "fullshot.crawler.middlewares.ShopRedirectMiddleware": 600,
    "fullshot.crawler.middlewares.HostStatsMiddleware": 990,
}
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
METAREFRESH_ENABLED = False
COOKIES_ENABLED = False
RETRY_TIMES = 3
CONCURRENT_ITEMS = 1
"""The spider's callbacks yield nothing; with the default, Scrapy starts a hundred tasks for every response."""
HTTPERROR_ALLOWED_CODES = [304]
DOWNLOAD_WARNSIZE = 0
LOG_LEVEL = "INFO"
FULLSHOT_HTTP_HANDLER = "fullshot.crawler.http.HttpHandler"
DOWNLOAD_HANDLERS = {
    "http": "fullshot.crawler.rendering.handler.RenderingHandler",
    "https": "fullshot.crawler.rendering.handler.RenderingHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
"""A page's links lead to the web only, never to a file of this machine."""
