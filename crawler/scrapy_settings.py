"""Scrapy's settings for this project; a crawl lays its own over them."""

BOT_NAME = "fullshot"
SPIDER_MODULES = ["crawler.spider"]
ITEM_PIPELINES = {"crawler.pipeline.Pictures": 100, "crawler.pipeline.Journalled": 200}
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
TELNETCONSOLE_ENABLED = False
RETRY_TIMES = 3
COOKIES_ENABLED = False
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_MAXSIZE = 64 * 1024 * 1024
"""A page or picture of more bytes is given up."""
LOG_LEVEL = "INFO"
DOWNLOAD_HANDLERS = {"data": None, "file": None, "ftp": None, "s3": None}
"""A page's links lead to the web only, never to a file of this machine."""
