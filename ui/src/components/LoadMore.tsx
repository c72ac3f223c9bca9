import { useEffect, useRef } from "react";
import { Button } from "./Button";
import { Problem } from "./Problem";
import { useStrings } from "../i18n";

interface LoadMoreProps {
  query: {
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    isFetchNextPageError: boolean;
    error: Error | null;
    fetchNextPage: () => Promise<unknown>;
  };
}

/** The end of a list that has more pages: the next one is loaded when this comes into view, or by its button. */
export function LoadMore({ query }: LoadMoreProps) {
  const t = useStrings();
  const place = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, error, fetchNextPage } = query;
  useEffect(() => {
    if (!place.current || !hasNextPage || isFetchingNextPage || isFetchNextPageError) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) fetchNextPage();
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  if (isFetchNextPageError && error) return <Problem error={error} onRetry={fetchNextPage} />;
  if (!hasNextPage) return null;
  return (
    <div ref={place}>
      <Button disabled={isFetchingNextPage} onClick={() => fetchNextPage()}>
        {isFetchingNextPage ? t.common.loading : t.common.loadMore}
      </Button>
    </div>
  );
}
